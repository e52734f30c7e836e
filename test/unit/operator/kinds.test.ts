import { describe, expect, test } from "vitest";
import { compactTask, isInputLeftOut, type TaskObject } from "../../../src/operator/kinds.ts";

const tensor = (elements: number) => ({
  x: { dtype: "int32" as const, shape: [elements], data: Array.from({ length: elements }, () => 12_345) },
});

function aTask(change: Partial<TaskObject> = {}): TaskObject {
  return {
    apiVersion: "inferium.io/v1alpha1",
    kind: "InferenceTask",
    metadata: { name: "t", namespace: "default", uid: "u", resourceVersion: "1", generation: 1 },
    spec: {
      model: { uri: "https://m", digest: "sha256:d" },
      input: { inline: tensor(2) },
    } as unknown as TaskObject["spec"],
    ...change,
  };
}

describe("compactTask", () => {
  test("leaves out who wrote which field and what kubectl applied last, and nothing else of the metadata", () => {
    const { metadata } = aTask();
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "{}", mine: "yes" };
    const given = aTask({ metadata: { ...metadata, annotations, managedFields: [{ manager: "kubectl" }] } });
    expect(compactTask(given).metadata).toEqual({ ...metadata, annotations: { mine: "yes" } });
    expect(given.metadata.annotations).toEqual(annotations);
  });

  test("keeps a small input and leaves out a large one", () => {
    expect(compactTask(aTask())).toEqual(aTask());
    const { model } = aTask().spec;
    const large = compactTask(
      aTask({ spec: { model, input: { inline: tensor(1_000) } } as unknown as TaskObject["spec"] }),
    );
    expect(large.spec.input).toEqual({});
    expect(isInputLeftOut(large)).toBe(true);
  });

  test("has what tasks have in common only once, and a text is never taken for an object that reads like it", () => {
    const spec = { ...aTask().spec, verification: { policy: "None", validators: 3, quorum: 2 } } as TaskObject["spec"];
    const make = () =>
      compactTask(structuredClone(aTask({ spec, status: { observedGeneration: -1, phase: "Pending" } })));
    const [one, other] = [make(), make()];
    expect(one).toEqual(other);
    expect(one.spec.model).toBe(other.spec.model);
    expect(one.spec.verification).toBe(other.spec.verification);
    expect(one.status).toBe(other.status);
    const requester = JSON.stringify(spec.verification);
    expect(compactTask(aTask({ spec: { ...spec, requester } })).spec.requester).toBe(requester);
  });

  test("leaves out the output's elements and keeps its digest", () => {
    const output = { digest: "sha256:o", items: 1, inline: tensor(2) };
    const status = { observedGeneration: 1, phase: "Succeeded" as const, output };
    const compact = compactTask(aTask({ status }));
    expect(compact.status).toEqual({ ...status, output: { digest: "sha256:o", items: 1 } });
  });
});
