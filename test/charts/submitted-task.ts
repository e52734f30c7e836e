/** A task of a test's own on an installed chart: one image through the integer classifier, and its way to the chain. */

import { expect } from "vitest";
import { isConditionTrue } from "../../src/api/v1alpha1/conditions.ts";
import { loadMnist, pixelsPerImage } from "../../src/embedded/demo/data/mnist.ts";
import { createClient } from "../../src/kube/client.ts";
import { tasks } from "../../src/operator/kinds.ts";
import type { CommandLine } from "../integration/clients/command-line.ts";
import { type ChartCluster, readModel } from "./chart-cluster.ts";

interface TaskRef {
  readonly namespace: string;
  readonly name: string;
}

export async function submitTask(
  { artifacts }: Pick<ChartCluster, "artifacts">,
  kubectl: CommandLine,
  { namespace, name }: TaskRef,
): Promise<void> {
  const { uri, digest } = artifacts.publish("mnist.onnx", await readModel());
  const { images } = await loadMnist("test");
  const base64 = Buffer.from(images.subarray(0, pixelsPerImage)).toString("base64");
  const spec = {
    type: "Inference",
    tier: "Low",
    model: { uri, digest },
    input: { inline: { pixels: { dtype: "uint8", shape: [1, pixelsPerImage], base64 } } },
    verification: { policy: "Exact", validators: 3, quorum: 2 },
  };
  await kubectl.ok(["create", "-f", "-", "-n", namespace], {
    input: JSON.stringify({ apiVersion: "inferium.io/v1alpha1", kind: "InferenceTask", metadata: { name }, spec }),
  });
}

/** In the first attempt, and on the chain. Of a batch its shards are, each as a task of its own. */
export async function untilSettled({ cluster }: Pick<ChartCluster, "cluster">, ref: TaskRef): Promise<void> {
  const client = createClient(cluster.transport, tasks);
  const state = async () => {
    const { status } = await client.get(ref);
    const attempt = status?.shards?.failed === 0 ? 1 : status?.assignment?.attempt;
    return { phase: status?.phase, attempt };
  };
  await expect
    .poll(state, { timeout: 90_000, interval: 500 })
    .toEqual({ phase: "Succeeded", attempt: 1 })
    .catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${JSON.stringify((await client.get(ref)).status)}`);
    });
  const { status } = await client.get(ref);
  if (status?.shards) expect(isConditionTrue(status.conditions, "Settled")).toBe(true);
  else expect(status?.settlement?.txHash).toMatch(/^0x/);
}
