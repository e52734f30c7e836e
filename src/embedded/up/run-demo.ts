/**
 * The demonstration on a system that is ready: creates the tasks as a user would, follows them
 * until every one is finished and the cheater is slashed, shows a dispute, a vote and a leaderboard, pays out, sums up.
 */
import type { InferenceTask } from "../../api/v1alpha1/types.ts";
import { inferenceTaskResource } from "../../api/v1alpha1/types.ts";
import type { Logger } from "../../base/log.ts";
import { createClient } from "../../kube/client.ts";
import { defineResource } from "../../kube/resource.ts";
import type { ArtifactServer } from "../demo/artifact-server.ts";
import type { LiveDisplay } from "../demo/live-display.ts";
import { computeProgress, isFinished, wasRejected } from "../demo/progress.ts";
import { renderProgress } from "../demo/render-progress.ts";
import { computeSummary, type Summary } from "../demo/summary.ts";
import type { TaskManifest } from "../demo/workload.ts";
import type { DemoData } from "./demo-data.ts";
import { claimRewards, readLastBatch, readPaid } from "./rewards.ts";
import { showAgent } from "./show-agent.ts";
import { showDispute } from "./show-dispute.ts";
import { showLeaderboard } from "./show-leaderboard.ts";
import { showModels } from "./show-models.ts";
import { showProofs } from "./show-proofs.ts";
import { showTraining } from "./show-training.ts";
import { openVote } from "./show-vote.ts";
import type { System } from "./start-system.ts";
import { waitUntil } from "./watch.ts";

export interface DemoOptions {
  readonly system: System;
  readonly data: DemoData;
  readonly artifacts: ArtifactServer;
  /** Whether a training is shown. */
  readonly train: boolean;
  readonly display: LiveDisplay;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Seconds since the command started. */
  readonly seconds: () => number;
  readonly readySeconds: number;
}

const allTimeoutMs = 600_000;

/** @throws InferiumError WaitTimeout, or the signal's reason */
export async function runDemo(options: DemoOptions): Promise<Summary> {
  const { system, data, seconds } = options;
  await createTasks(system, data.tasks);
  const times = await followTasks(options);
  // The staged part must not colour what is said of the rest.
  const tasks = system.watch.tasks.store.list();
  const statusWrites = await system.countStatusWrites();
  const takeVote = await openVote(options);
  const [disputes, proposals, models, leaderboards, agent] = await Promise.all([
    showDispute({ ...options, task: data.unwatched }),
    takeVote(),
    showModels({ ...options, tasks: data.tasks }),
    showLeaderboard(options),
    showAgent({ ...options, task: data.unwatched }),
  ]);
  const trainings = await showTraining({ ...options, artifacts: options.train ? options.artifacts : undefined });
  const lastBatch = await readLastBatch(system.cluster.transport);
  if (lastBatch) await claimRewards(system.chain, lastBatch);
  return computeSummary({
    tasks,
    nodes: computeProgress([], system.watch.nodes.store.list()).nodes,
    labels: data.labels,
    speech: data.readSpeech(tasks),
    paidWei: await readPaid(system.chain, system.members),
    zk: await showProofs(system, tasks),
    settleGas: await readSettleGas(system, tasks),
    seconds: { ready: options.readySeconds, firstSettled: times.first, allSettled: times.all ?? seconds() },
    statusWrites,
    disputes,
    proposals,
    models,
    trainings,
    leaderboards,
    agents: [agent],
  });
}

const createsInFlight = 16;

async function createTasks(system: System, tasks: readonly TaskManifest[]): Promise<void> {
  // What a user sends lacks the fields that the server fills in.
  const client = createClient(system.cluster.transport, defineResource<InferenceTask>(inferenceTaskResource));
  const queue = [...tasks];
  const create = async () => {
    for (let task = queue.shift(); task; task = queue.shift()) await client.create(task as InferenceTask);
  };
  await Promise.all(Array.from({ length: createsInFlight }, create));
}

async function followTasks(options: DemoOptions): Promise<{ first: number; all: number | undefined }> {
  const { system, data, display, seconds } = options;
  const { tasks, nodes } = system.watch;
  let first: number | undefined;
  let all: number | undefined;
  await waitUntil({
    informers: [tasks, nodes],
    signal: options.signal,
    timeoutMs: allTimeoutMs,
    onLook() {
      const progress = computeProgress(tasks.store.list(), nodes.store.list());
      if (progress.settled > 0) {
        first ??= seconds();
        system.startControllers();
      }
      if (progress.settled === data.tasks.length) all ??= seconds();
      display.update(renderProgress(progress, seconds()));
    },
    isTrue: () => {
      const list = tasks.store.list();
      return list.length >= data.tasks.length && list.every(isFinished) && isCheaterDone(system, list);
    },
    describe: () => {
      const { byPhase } = computeProgress(tasks.store.list(), []);
      return `${data.tasks.length} tasks to finish; they are ${JSON.stringify(byPhase)}. See: inferium logs in ${system.workspace.dir}`;
    },
  });
  system.startControllers();
  display.finish();
  return { first: first ?? seconds(), all };
}

/** A refused result is on record before its penalty is on the chain: wait for both. */
function isCheaterDone(system: System, tasks: readonly InferenceTask[]): boolean {
  if (!tasks.some(wasRejected)) return true;
  return computeProgress([], system.watch.nodes.store.list()).nodes.some((node) => node.slashedWei > 0n);
}

async function readSettleGas({ chain }: System, tasks: readonly InferenceTask[]) {
  const hashes = [...new Set(tasks.flatMap((task) => task.status?.settlement?.txHash ?? []))];
  const receipts = await Promise.all(hashes.map((hash) => chain.client.provider.getTransactionReceipt(hash)));
  return { batches: hashes.length, gasUsed: receipts.reduce((sum, receipt) => sum + (receipt?.gasUsed ?? 0n), 0n) };
}
