/** What the definition refuses of tasks of mode Pod and of launchers. With KUBEBUILDER_ASSETS set, on a real API server. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { applyObjects, readManifests, waitForKinds } from "../../../src/embedded/up/manifests.ts";
import { createClient } from "../../../src/kube/client.ts";
import { loadKubeConnection } from "../../../src/kube/connection.ts";
import { createTransport, type Transport } from "../../../src/kube/transport.ts";
import { type TaskObject, tasks as taskResource, type WorkerObject, workerNodes } from "../../../src/operator/kinds.ts";
import { openTestCluster, type TestCluster } from "../../support/test-cluster.ts";

let cluster: TestCluster;
let transport: Transport;
let sample: { readonly spec: Record<string, unknown> };

beforeAll(async () => {
  cluster = await openTestCluster();
  transport = createTransport(await loadKubeConnection({ kubeconfigPath: cluster.kubeconfigPath }));
  const kinds = await readManifests("crds");
  await applyObjects(transport, kinds);
  await waitForKinds(transport, kinds);
  sample = parse(await readFile(new URL("../../../manifests/samples/training.yaml", import.meta.url), "utf8"));
}, 90_000);

afterAll(async () => {
  await transport?.close();
  await cluster?.close();
});

let count = 0;
/** @param change undefined drops a field */
async function create(change: Record<string, unknown> = {}): Promise<TaskObject> {
  count += 1;
  const spec = Object.fromEntries(
    Object.entries({ ...sample.spec, ...change }).filter(([, value]) => value !== undefined),
  );
  const metadata = { name: `pod-${count}`, namespace: "default" };
  return createClient(transport, taskResource).create({ ...sample, metadata, spec } as unknown as TaskObject);
}

const training = (change: object) => () => ({ training: { ...(sample.spec.training as object), ...change } });
const template = (change: object) => () => ({ template: change });
const inline = { inline: { x: { dtype: "uint8", shape: [1], data: [1] } } };

describe("a task of mode Pod", () => {
  it("is taken as the sample has it, with defaults for what it leaves out", async () => {
    const { spec } = await create();
    expect(spec).toMatchObject({ mode: "Pod", template: { size: 1, startTimeoutSeconds: 600 } });
    const { template: _, ...bare } = sample.spec;
    expect((await create({ ...bare, template: undefined })).spec.template).toBeUndefined();
  });

  it.each<[string, () => Record<string, unknown>, string]>([
    ["a training that no pod runs", () => ({ mode: "Pooled" }), "template and training need mode Pod"],
    ["a training of another type", () => ({ type: "Inference" }), "training is for tasks of type Training"],
    [
      "a training of an ONNX model",
      () => ({ model: { ...(sample.spec.model as object), format: "onnx" } }),
      "model.format is safetensors with training",
    ],
    [
      "weights without a training",
      () => ({ training: undefined, verification: { policy: "None" } }),
      "model.format is safetensors with training",
    ],
    [
      "a container that nobody could run again",
      () => ({ training: undefined, model: { ...(sample.spec.model as object), format: "onnx" } }),
      "verification.policy is Exact with training, or None",
    ],
    [
      "a training by tolerance",
      () => ({ verification: { policy: "Tolerance", tolerance: { absolute: 1 } } }),
      "verification.policy is Exact with training, or None",
    ],
    ["an inline input", () => ({ input: inline }), "mode Pod needs input.uri"],
    [
      "steps of a model",
      () => ({ input: { ...(sample.spec.input as object), steps: { count: 1, tensors: ["x"] } } }),
      "mode Pod takes none",
    ],
    [
      "fewer steps than one slice",
      training({ steps: 10, checkpointEvery: 11 }),
      "checkpointEvery cannot be larger than steps",
    ],
    [
      "more checkpoints than a receipt holds",
      training({ steps: 1_001, checkpointEvery: 1 }),
      "at most 1000 checkpoints",
    ],
    ["no steps", training({ steps: 0, checkpointEvery: 1 }), "should be greater than or equal to 1"],
    ["a seed that is none", training({ seed: -1 }), "should be greater than or equal to 0"],
    ["a store that is no URI", training({ checkpointStore: "ftp://x" }), "checkpointStore"],
    ["a store with a query", training({ checkpointStore: "https://x/y?token=1" }), "checkpointStore"],
    ["a program that is no name", training({ program: "../x" }), "program"],
    ["a gang of nobody", template({ size: 0 }), "should be greater than or equal to 1"],
    [
      "a variable of the launcher's",
      template({ env: [{ name: "INFERIUM_TASK", value: "x" }] }),
      "names that begin with INFERIUM_ are the launcher's",
    ],
    [
      "a variable twice",
      template({
        env: [
          { name: "A", value: "1" },
          { name: "A", value: "2" },
        ],
      }),
      "Duplicate value",
    ],
    ["a toleration of no kind", template({ tolerations: [{ operator: "Like" }] }), "Unsupported value"],
  ])("is refused with %s", async (_, change, message) => {
    await expect(create(change())).rejects.toThrow(message);
  });

  it("stays as it was created", async () => {
    const { metadata } = await create();
    const patch = (spec: object) =>
      createClient(transport, taskResource).patch(metadata, { kind: "merge", body: { spec } });
    await expect(patch({ training: { seed: 2 } })).rejects.toThrow("training is immutable");
    await expect(patch({ template: { image: "other" } })).rejects.toThrow("template is immutable");
    await expect(patch({ mode: "Pooled" })).rejects.toThrow("mode is immutable");
    expect((await patch({ suspend: true })).spec.suspend).toBe(true);
  });
});

describe("a launcher's WorkerNode", () => {
  it("is a worker, of mode Pooled where nothing is said", async () => {
    const client = createClient(transport, workerNodes);
    const aNode = (name: string, change: object) =>
      client.create({
        ...{ apiVersion: "inferium.io/v1alpha1", kind: "WorkerNode", metadata: { name } },
        spec: { address: `0x${"1".repeat(40)}`, nodeName: name, ...change },
      } as WorkerObject);
    await expect(aNode("v", { role: "Validator", mode: "Pod" })).rejects.toThrow("mode Pod is for role Worker");
    expect((await aNode("l", { mode: "Pod" })).spec.mode).toBe("Pod");
    expect((await aNode("w", {})).spec.mode).toBe("Pooled");
  });
});
