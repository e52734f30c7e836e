/**
 * What 100,000 tasks that wait cost an operator: it starts on them, hears of some more, and another one takes over. No worker is
 * there, so that all of them wait. Called by `pool.ts`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TaskObject, tasks } from "../../src/operator/kinds.ts";
import type { Cluster } from "../integration/operator/operator-fixture.ts";
import { type BenchOperator, forkServer, startBenchOperator, withCluster } from "./bench-cluster.ts";
import { type BenchOptions, tellProgress } from "./bench-options.ts";
import { createAll } from "./count-ended.ts";
import { seedTasks } from "./seed-tasks.ts";

const queuedCount = 100_000;
/** Of them, made while the first operator runs: it hears of them one by one. */
const lateShare = 0.01;
/** Garbage of the start is collected by then. */
const settleMs = 10_000;

/** @param aTask of a name */
export async function measureQueued(
  { count = queuedCount, timeoutMs = 900_000 }: BenchOptions,
  aTask: (name: string) => TaskObject,
) {
  const endsAt = performance.now() + timeoutMs;
  const late = Math.ceil(count * lateShare);
  const dir = await mkdtemp(join(tmpdir(), "inferium-queued-"));
  let step = "tasks are made";
  const progress = tellProgress(() => `queued: ${step}`);
  try {
    await seedTasks(dir, aTask("queued-0"), count - late);
    const parts = { workers: ["w0"], slots: 1, validators: ["v1"], startServer: () => forkServer(dir) };
    return await withCluster(parts, async (cluster) => {
      const createLate = async () => {
        const objects = Array.from({ length: late }, (_, index) => aTask(`late-${index}`));
        await createAll(cluster.transport, tasks, objects, () => performance.now() < endsAt);
      };
      step = "an operator starts on them";
      const first = await runOperator(cluster, { synced: count - late, all: count, endsAt }, createLate);
      step = "another operator takes over";
      const next = await runOperator(cluster, { synced: count, all: count, endsAt });
      return {
        ...{ waiting: first.waiting, waitingAfterRestart: next.waiting },
        ...{ operatorRssMiB: first.rssMiB, operatorPeakRssMiB: first.peakRssMiB },
        ...{ operatorRssMiBAfterRestart: next.rssMiB, operatorPeakRssMiBAfterRestart: next.peakRssMiB },
        ...{ restartToServingSeconds: next.servingSeconds, restartToSyncedSeconds: next.syncedSeconds },
        restartCpuSeconds: next.cpuSeconds,
      };
    });
  } finally {
    progress.end();
    await rm(dir, { recursive: true, force: true });
  }
}

interface Wanted {
  /** Tasks that wait when it has taken over. */
  readonly synced: number;
  readonly all: number;
  readonly endsAt: number;
}

async function runOperator(cluster: Cluster, { synced, all, endsAt }: Wanted, meanwhile?: () => Promise<void>) {
  const begun = performance.now();
  const secondsSince = () => round((performance.now() - begun) / 1_000);
  const operator = await startBenchOperator(cluster);
  try {
    const servingSeconds = secondsSince();
    await waitFor(operator, synced, endsAt);
    const syncedSeconds = secondsSince();
    const { cpuMicroseconds } = await operator.usage();
    await meanwhile?.();
    const waiting = await waitFor(operator, all, endsAt);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const { residentBytes, peakResidentBytes } = await operator.usage();
    return {
      ...{ waiting, servingSeconds, syncedSeconds, cpuSeconds: round(cpuMicroseconds / 1e6) },
      rssMiB: toMiB(residentBytes),
      peakRssMiB: peakResidentBytes && toMiB(peakResidentBytes),
    };
  } finally {
    await operator.stop();
  }
}

/** How many wait in the end. */
async function waitFor(operator: BenchOperator, wanted: number, endsAt: number): Promise<number> {
  for (;;) {
    const waiting = (await operator.metric("inferium_queue_waiting_tasks")).get("") ?? 0;
    if (waiting >= wanted || performance.now() > endsAt) return waiting;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const toMiB = (bytes: number) => Math.round(bytes / 2 ** 20);
const round = (value: number) => Number(value.toFixed(2));
