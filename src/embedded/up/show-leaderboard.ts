/**
 * A leaderboard, as a part of the demonstration: three models on the MNIST test images, as a user would ask for it. Beside the staged
 * dispute and the vote. Effects: publishes models and images, creates a ConfigMap with labels and a Leaderboard.
 */
import { readFile } from "node:fs/promises";
import { apiVersion } from "../../api/v1alpha1/meta.ts";
import { type Leaderboard, leaderboardResource } from "../../api/v1alpha1/types.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { sha256 } from "../../base/digest.ts";
import { packageRoot } from "../../base/package-root.ts";
import { createClient } from "../../kube/client.ts";
import { configMaps } from "../../kube/core-resources.ts";
import { defineResource } from "../../kube/resource.ts";
import { writeSafetensors } from "../../protocol/tensors/safetensors.ts";
import type { ArtifactServer } from "../demo/artifact-server.ts";
import { cutBatches, loadMnist } from "../demo/data/mnist.ts";
import { type ShownLeaderboard, toShown } from "../demo/shown-leaderboard.ts";
import { demoNamespace, orderSecret, rewards } from "../demo/workload.ts";
import { runLabel } from "./pods.ts";
import type { System } from "./start-system.ts";

export interface LeaderboardShowOptions {
  readonly system: System;
  readonly artifacts: ArtifactServer;
  readonly signal: AbortSignal;
  /** Seconds since the command started. */
  readonly seconds: () => number;
  readonly say: (text: string) => void;
  readonly clock?: Clock;
}

const name = "mnist-digits";
const models = { perceptron: "mnist-int8", convolutional: "mnist-lenet-int8", linear: "mnist-linear-int8" } as const;
/** What a task gives for so many images fits its status. */
const imagesPerShard = 2_000;
const timeoutMs = 120_000;
const lookEveryMs = 250;

/** @returns what it came to; what it had come to where that took too long: the rest of the run does not depend on it */
export async function showLeaderboard(options: LeaderboardShowOptions): Promise<ShownLeaderboard[]> {
  const { system, signal, seconds, clock = systemClock } = options;
  const startedAt = seconds();
  const client = createClient(system.cluster.transport, defineResource<Leaderboard>(leaderboardResource));
  const leaderboard = await prepare(options);
  // What a user sends lacks the fields that the server fills in.
  await client.create(leaderboard as Leaderboard);
  const deadline = clock.monotonic() + timeoutMs;
  let seen = await client.get({ namespace: demoNamespace, name });
  while (seen.status?.lastRun === undefined && clock.monotonic() < deadline) {
    signal.throwIfAborted();
    await clock.sleep(lookEveryMs);
    seen = await client.get({ namespace: demoNamespace, name });
  }
  if (seen.status?.lastRun === undefined) {
    const ready = seen.status?.conditions?.find(({ type }) => type === "Ready");
    options.say(
      `leaders    ${name} has no ranking after ${timeoutMs / 1_000} s: ${ready?.message ?? "no reason is known"}`,
    );
  }
  return [toShown(seen, Number((seconds() - startedAt).toFixed(1)))];
}

async function prepare({ system, artifacts }: LeaderboardShowOptions): Promise<object> {
  const batches = cutBatches(await loadMnist("test"), imagesPerShard);
  const binaryData: Record<string, string> = {};
  const shards = batches.map(({ index, file, labels }) => {
    const { uri, digest } = artifacts.publish(`inputs/${name}-${index}.safetensors`, file);
    const truth = writeSafetensors(new Map([["labels", { dtype: "uint8", shape: [labels.length], data: labels }]]));
    const key = `labels-${index}.safetensors`;
    binaryData[key] = Buffer.from(truth).toString("base64");
    const ref = { configMapRef: { name, key }, digest: sha256(truth) };
    return { rows: labels.length, input: { uri, digest }, labels: ref };
  });
  const metadata = { name, namespace: demoNamespace, labels: runLabel };
  await createClient(system.cluster.transport, configMaps).apply({ metadata, binaryData });
  const compared = Object.entries(models).map(async ([model, file]) => {
    const bytes = await readFile(new URL(`src/embedded/demo/models/${file}.onnx`, packageRoot));
    const { uri, digest } = artifacts.publish(`models/${file}.onnx`, bytes);
    return { name: model, uri, digest, outputName: "label" };
  });
  return {
    apiVersion,
    kind: "Leaderboard",
    metadata,
    spec: {
      task: "Classification",
      models: await Promise.all(compared),
      dataset: { classes: 10, shards },
      metrics: ["Accuracy", "F1"],
      reward: rewards.mnist,
      requester: system.chain.accounts.requester.address,
      orderRef: { name: orderSecret },
    },
  };
}
