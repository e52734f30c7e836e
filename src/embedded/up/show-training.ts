/**
 * Where it is asked for (`inferium up --train`), after everything else: the run's classifier is trained anew by a task of mode Pod, and
 * must come out byte for byte. Effects: artifacts, one task, one line for people.
 */
import { readFile } from "node:fs/promises";
import type { InferenceTask } from "../../api/v1alpha1/types.ts";
import { inferenceTaskResource } from "../../api/v1alpha1/types.ts";
import { sha256 } from "../../base/digest.ts";
import { createClient } from "../../kube/client.ts";
import { pods } from "../../kube/core-resources.ts";
import { defineResource } from "../../kube/resource.ts";
import { readInline } from "../../pool/inline-tensors.ts";
import type { ArtifactServer } from "../demo/artifact-server.ts";
import { loadMnist } from "../demo/data/mnist.ts";
import { heldImages, mnistPlan as plan } from "../demo/models/mnist-plan.ts";
import { isFinished } from "../demo/progress.ts";
import { mnistModel } from "../demo/proving-setup.ts";
import type { ShownTraining } from "../demo/shown-training.ts";
import { buildTrainingTask } from "../demo/training.ts";
import { demoNamespace } from "../demo/workload.ts";
import { taskNamespace } from "./role-pods.ts";
import type { System } from "./start-system.ts";
import { waitUntil } from "./watch.ts";

export interface TrainingShowOptions {
  readonly system: System;
  /** Undefined where no training was asked for. */
  readonly artifacts: ArtifactServer | undefined;
  readonly signal: AbortSignal;
  readonly seconds: () => number;
  readonly say: (text: string) => void;
}

const name = "train-mnist";
const checkpoints = 8;
const sampledSlices = 2;
const timeoutMs = 600_000;

/** @throws InferiumError WaitTimeout, or the signal's reason */
export async function showTraining(options: TrainingShowOptions): Promise<ShownTraining[]> {
  const { system, artifacts, signal, seconds, say } = options;
  if (artifacts === undefined) return [];
  const set = await loadMnist("train");
  const steps = ((set.count - heldImages) * plan.rates.length) / plan.imagesPerStep;
  const checkpointEvery = steps / checkpoints;
  const startedAt = seconds();
  const task = buildTrainingTask(
    { ...plan, name, set, heldImages, steps, checkpointEvery, sampledSlices },
    artifacts,
    system.chain.accounts.requester.address,
  );
  await createClient(system.cluster.transport, defineResource<InferenceTask>(inferenceTaskResource)).create(
    task as InferenceTask,
  );
  say(`training   ${name}: ${steps} steps on ${set.count} images, by pods on nodes of tier High`);
  const { store } = system.watch.tasks;
  const find = () =>
    store.list().find(({ metadata }) => metadata.name === name && metadata.namespace === demoNamespace);
  const nodes = new Set<string>();
  const looking = collectNodes(system, nodes);
  try {
    await waitUntil({
      informers: [system.watch.tasks],
      signal,
      timeoutMs,
      isTrue: () => isFinished(find() ?? (task as InferenceTask)),
      describe: () => `${name} to be finished; it is ${find()?.status?.phase ?? "not there"}`,
    });
  } finally {
    await looking.stop();
  }
  const done = find();
  const digest = done && readModelDigest(done);
  return [
    {
      ...{ task: name, program: done?.spec.training?.program ?? "", steps, images: set.count, checkpoints },
      ...{ slicesChecked: sampledSlices, nodes: [...nodes].sort(), model: digest ?? "none" },
      reproduced: digest === sha256(await readFile(mnistModel)),
      outcome: done?.status?.phase ?? "Unknown",
      seconds: Number((seconds() - startedAt).toFixed(1)),
    },
  ];
}

function readModelDigest({ status }: InferenceTask): string | undefined {
  const inline = status?.output?.inline;
  const bytes = inline && readInline(inline).get("model")?.data;
  return bytes && `sha256:${Buffer.from(bytes).toString("hex")}`;
}

const lookEveryMs = 500;

/** Pods are gone with their job: looked at while they run. */
function collectNodes({ cluster }: System, nodes: Set<string>) {
  const client = createClient(cluster.transport, pods);
  const stopped = new AbortController();
  const look = async () => {
    while (!stopped.signal.aborted) {
      const { items } = await client.list({ namespace: taskNamespace });
      for (const { spec } of items) if (spec.nodeName) nodes.add(spec.nodeName);
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  };
  // Only for show: a list that fails leaves nodes out.
  const looking = look().catch(() => undefined);
  return {
    stop: async () => {
      stopped.abort();
      await looking;
    },
  };
}
