import { describe, expect, test } from "vitest";
import { keepTask } from "../../../src/operator/kept-task.ts";
import { isInputLeftOut, type TaskObject } from "../../../src/operator/kinds.ts";

const key = "default/t";
const tensor = (elements: number) => ({
  x: { dtype: "int32" as const, shape: [elements], data: Array.from({ length: elements }, () => 12_345) },
});

function aTask(change: Partial<TaskObject> = {}): TaskObject {
  return {
    apiVersion: "inferium.io/v1alpha1",
    kind: "InferenceTask",
    metadata: {
      ...{ name: "t", namespace: "default", uid: "u", resourceVersion: "1", generation: 1 },
      creationTimestamp: "2026-11-27T10:00:00Z",
    },
    spec: {
      model: { uri: "https://m", digest: "sha256:d" },
      input: { inline: tensor(2) },
    } as unknown as TaskObject["spec"],
    ...change,
  };
}

/** As it comes over the wire. */
const keep = (task: TaskObject) => keepTask(structuredClone(task), key);
const waiting = { observedGeneration: -1, phase: "Pending" as const };

describe("keepTask", () => {
  test("leaves out who wrote which field and what kubectl applied last, and nothing else of the metadata", () => {
    const { metadata } = aTask();
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": "{}", mine: "yes" };
    const kept = {
      ...{ labels: { a: "1" }, finalizers: ["f"], deletionTimestamp: "2026-11-27T10:00:01Z" },
      ownerReferences: [{ apiVersion: "v1", kind: "Leaderboard", name: "o", uid: "ou", controller: true }],
    };
    const given = aTask({
      metadata: { ...metadata, ...kept, annotations, managedFields: [{ manager: "kubectl" }] },
    });
    expect(keepTask(given, key).task.metadata).toEqual({ ...metadata, ...kept, annotations: { mine: "yes" } });
    expect(given.metadata.annotations).toEqual(annotations);
  });

  test("gives a task again as it was, as often as it is read", () => {
    const tasks: TaskObject[] = [
      aTask(),
      aTask({ status: waiting }),
      // What the schema requires and a server without it would take.
      aTask({ metadata: { name: "t", namespace: "default" }, spec: {} as TaskObject["spec"] }),
      aTask({ spec: { ...aTask().spec, template: { args: ["x".repeat(5_000)] } } as TaskObject["spec"] }),
      aTask({ spec: { ...aTask().spec, input: { uri: "https://i", digest: "sha256:i" } } }),
    ];
    for (const task of tasks) {
      const kept = keep(task);
      expect(kept.task).toEqual(task);
      // By then it has been forgotten.
      for (let other = 0; other < 600; other++) expect(keep(aTask()).task.metadata.name).toBe("t");
      expect(kept.task).toEqual(task);
    }
  });

  test("keeps a small input and leaves out a large one", () => {
    expect(isInputLeftOut(keep(aTask()).task)).toBe(false);
    const { model } = aTask().spec;
    const input = { inline: tensor(1_000), calls: 3 };
    const large = keep(aTask({ spec: { model, input } as unknown as TaskObject["spec"] }));
    expect(large.task.spec.input).toEqual({ calls: 3 });
    expect(isInputLeftOut(large.task)).toBe(true);
  });

  test("has what tasks have in common only once, and a text is never taken for an object that reads like it", () => {
    const spec = { ...aTask().spec, verification: { policy: "None", validators: 3, quorum: 2 } } as TaskObject["spec"];
    const make = (priority: number) => keep(aTask({ spec: { ...spec, priority }, status: waiting }));
    const [one, other] = [make(1), make(2)];
    expect(one.task).toEqual(aTask({ spec: { ...spec, priority: 1 }, status: waiting }));
    expect(one.task.spec.model).toBe(other.task.spec.model);
    expect(one.task.spec.verification).toBe(other.task.spec.verification);
    expect(one.written).toBe(other.written);
    const requester = JSON.stringify(spec.verification);
    expect(keep(aTask({ spec: { ...spec, requester } })).task.spec.requester).toBe(requester);
  });

  test("what many wait for is there once, and what a worker did is not looked for", () => {
    const condition = { type: "Queued", status: "True" as const, reason: "NoWorkers", message: "none" };
    const explained = {
      ...{ observedGeneration: 1, phase: "Queued" as const },
      conditions: [{ ...condition, lastTransitionTime: "2026-11-27T10:00:00Z" }],
    };
    expect(keep(aTask({ status: explained })).status).toBe(keep(aTask({ status: explained })).status);
  });

  test("leaves out the output's elements and keeps its digest", () => {
    const output = { digest: "sha256:o", items: 1, inline: tensor(2) };
    const assignment = { worker: "w", address: "0x1", attempt: 1, claimedAt: "", deadline: "" };
    const status = { observedGeneration: 1, phase: "Succeeded" as const, assignment, output };
    expect(keep(aTask({ status })).status).toEqual({ ...status, output: { digest: "sha256:o", items: 1 } });
  });

  test("a draft is the same task with another status", () => {
    const draft = { observedGeneration: 1, phase: "Queued" as const };
    const kept = keep(aTask({ status: waiting })).withStatus(draft);
    expect(kept).toMatchObject({ key, uid: "u", resourceVersion: "1", generation: 1, status: draft, written: waiting });
    expect(kept.task).toEqual(aTask({ status: waiting }));
  });
});
