/**
 * Kueue's published load (15,000 workloads in 30 queues of 5 cohorts, arriving over 60 s) through the operator on an API server:
 * every workload is an InferenceTask that is created over HTTPS, matched by the operator, claimed over the pool API by a
 * worker with a key of its own, held for its run time, and ended by a signed receipt. API server, operator and workers are
 * processes of their own. Also the incident of kueue #14477: one queue, 536 deep, behind a head that fits nobody.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { OperatorConfig } from "../../src/operator/config.ts";
import { aTask, type Cluster, startCluster } from "../integration/operator/operator-fixture.ts";
import type { BenchServerAddress } from "./api-server-process.ts";
import {
  type Arrival,
  baseline,
  buildPolicies,
  computeBoundSeconds,
  type Load,
  listArrivals,
  namespace,
} from "./kueue-load.ts";
import type { OperatorUsage } from "./operator-process.ts";
import { simulateWorker } from "./simulated-worker.ts";

const workerCount = 50;
const slots = 4;
const publishedSeconds = 351;

export async function benchKueueBaseline() {
  const headOfLine = await withOperator({}, drainSingleQueue);
  const figures = await withOperator(buildPolicies(baseline, "Preempt"), (bench) => replay(bench, baseline));
  return {
    ...figures,
    publishedSeconds,
    ratio: round(publishedSeconds / figures.seconds),
    bounds: computeBoundSeconds(baseline),
    headOfLine,
    differs:
      "A workload ends with its signed receipt; verification policy is None and batches are settled later. Nothing is preempted within a queue. Kueue's figure is of its own scheduler and controllers with Jobs that nobody runs.",
  };
}

export interface Bench {
  readonly cluster: Cluster;
  readonly url: string;
  readonly usage: () => Promise<OperatorUsage>;
}

/** An API server and an operator, each in its process. */
export async function withOperator<T>(
  policies: OperatorConfig["policies"],
  work: (bench: Bench) => Promise<T>,
): Promise<T> {
  const names = Array.from({ length: workerCount }, (_, index) => `w${index}`);
  const cluster = await startCluster({ workers: names, validators: ["v1"], slots, gpus: 20, startServer: forkServer });
  const operator = fork(new URL("./operator-process.ts", import.meta.url), { serialization: "advanced" });
  try {
    operator.send({ ...cluster.config, ...benchConfig, policies });
    const [{ url }] = (await once(operator, "message")) as [{ url: string }];
    return await work({ cluster, url, usage: () => askUsage(operator) });
  } finally {
    await closeChild(operator);
    await cluster.close();
  }
}

const benchConfig: Partial<OperatorConfig> = {
  allowUnverified: true,
  metrics: undefined,
  batch: { maxAgeMs: 3_600_000, maxTasks: 1_000_000 },
};

async function forkServer(): Promise<Cluster["server"]> {
  const child = fork(new URL("./api-server-process.ts", import.meta.url));
  const [address] = (await once(child, "message")) as [BenchServerAddress];
  return { ...address, writes: () => [], close: () => closeChild(child) };
}

async function askUsage(operator: ChildProcess): Promise<OperatorUsage> {
  operator.send("usage");
  const [usage] = (await once(operator, "message")) as [OperatorUsage];
  return usage;
}

async function closeChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || !child.connected) return;
  const ended = once(child, "exit");
  child.send("close");
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  await ended;
  clearTimeout(timer);
}

async function replay({ cluster, url, usage }: Bench, load: Load) {
  const arrivals = listArrivals(load);
  const byName = new Map(arrivals.map((arrival) => [arrival.name, arrival]));
  const done = Promise.withResolvers<void>();
  const units = new Map<string, number>();
  const waits: Record<string, number[]> = { small: [], medium: [], large: [] };
  const left = new Set(byName.keys());
  let [mostUnits, superseded, begun] = [0, 0, 0];
  const change = ({ queue, kind }: Arrival, by: number) => {
    const cohort = String(Number(queue.slice("queue-".length)) % load.cohorts);
    const now = (units.get(cohort) ?? 0) + by * kind.units;
    units.set(cohort, now);
    mostUnits = Math.max(mostUnits, now);
  };
  const of = (name: string) => byName.get(name) as Arrival;
  const stops = cluster.members
    .filter(({ role }) => role === "Worker")
    .map(({ name }) =>
      simulateWorker(cluster, url, {
        ...{ name, slots },
        runMs: ({ task }) => of(task).kind.runMs,
        onStart: ({ task }) => {
          change(of(task), 1);
          waits[of(task).kind.name]?.push(performance.now() - begun - of(task).atMs);
        },
        onDone: ({ task }, status) => {
          change(of(task), -1);
          if (status === "Superseded") superseded++;
          else left.delete(task);
          if (left.size === 0) done.resolve();
        },
      }),
    );
  begun = performance.now();
  const createdSeconds = await create(cluster, arrivals);
  await Promise.race([done.promise, new Promise((resolve) => setTimeout(resolve, 600_000))]);
  const seconds = round((performance.now() - begun) / 1_000);
  const { cpuMicroseconds, residentBytes } = await usage();
  await Promise.all(stops.map((stop) => stop()));
  return {
    seconds,
    workloads: arrivals.length,
    left: left.size,
    workloadsPerSecond: round(arrivals.length / seconds),
    createdSeconds,
    mostUnitsPerCohort: mostUnits,
    preempted: superseded,
    meanWaitMs: Object.fromEntries(Object.entries(waits).map(([kind, times]) => [kind, mean(times)])),
    operatorCpuMsPerWorkload: round(cpuMicroseconds / 1_000 / arrivals.length),
    operatorRssMiB: Math.round(residentBytes / 2 ** 20),
  };
}

/** At their times, or as fast as the server takes them. */
async function create({ tasks }: Cluster, arrivals: readonly Arrival[]): Promise<number> {
  const begun = performance.now();
  let next = 0;
  const creator = async () => {
    for (let arrival = arrivals[next++]; arrival !== undefined; arrival = arrivals[next++]) {
      const early = arrival.atMs - (performance.now() - begun);
      if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
      await tasks.create(toTask(arrival));
    }
  };
  await Promise.all(Array.from({ length: 32 }, creator));
  return round((performance.now() - begun) / 1_000);
}

function toTask({ name, queue, kind }: Arrival) {
  const { reward: _, requester: __, orderRef: ___, ...spec } = aTask(name).spec;
  const task = aTask(name);
  return {
    ...task,
    metadata: { ...task.metadata, namespace },
    spec: {
      ...spec,
      ...{ queue, priority: kind.priority, resources: { gpus: kind.units } },
      verification: { policy: "None" as const, validators: 3, quorum: 2 },
    },
  };
}

/** All 536 are there before the first worker is. */
async function drainSingleQueue({ cluster, url }: Bench) {
  const kind = { name: "small" as const, count: 1, everyMs: 0, runMs: 0, units: 1, priority: 0 };
  const queued = Array.from({ length: 536 }, (_, index) => ({ name: `deep-${index}`, queue: "deep", atMs: 0, kind }));
  await create(cluster, [{ name: "head", queue: "deep", atMs: 0, kind: { ...kind, units: 64, priority: 1_000 } }]);
  await create(cluster, queued);
  const done = Promise.withResolvers<void>();
  let given = 0;
  const begun = performance.now();
  const stops = cluster.members
    .filter(({ role }) => role === "Worker")
    .map(({ name }) =>
      simulateWorker(cluster, url, {
        ...{ name, slots, runMs: () => 0 },
        onDone: () => {
          if (++given === queued.length) done.resolve();
        },
      }),
    );
  await Promise.race([done.promise, new Promise((resolve) => setTimeout(resolve, 60_000))]);
  const seconds = round((performance.now() - begun) / 1_000);
  await Promise.all(stops.map((stop) => stop()));
  return { queued: queued.length + 1, given, seconds };
}

const round = (value: number) => Number(value.toFixed(2));
const mean = (times: readonly number[]) =>
  Math.round(times.reduce((sum, ms) => sum + ms, 0) / Math.max(1, times.length));
