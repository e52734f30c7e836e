/**
 * Kueue's published load (15,000 workloads in 30 queues of 5 cohorts, arriving over 60 s) through the operator on an API server:
 * every workload is an InferenceTask that is created over HTTPS, matched by the operator, claimed over the pool API by a
 * worker with a key of its own, held for its run time, and ended by a signed receipt. API server, operator and workers are
 * processes of their own. Also the incident of kueue #14477: one queue, 536 deep, behind a head that fits nobody; and, where it is
 * asked for (`--part large`), the published load of 50,000 workloads in 1,000 queues of 10 cohorts; `--part large-virtual` plays that through
 * the rules alone, in virtual time.
 */
import type { OperatorConfig } from "../../src/operator/config.ts";
import { aTask, type Cluster } from "../integration/operator/operator-fixture.ts";
import { type Bench, type BenchClusterParts, withOperator } from "./bench-cluster.ts";
import { type BenchOptions, chooseParts, type Figures, tellProgress, within } from "./bench-options.ts";
import { createSurely } from "./create-surely.ts";
import {
  type Arrival,
  baseline,
  buildPolicies,
  computeBoundSeconds,
  type Load,
  largeScale,
  listArrivals,
  namespace,
} from "./kueue-load.ts";
import { replayVirtually } from "./kueue-virtual.ts";
import { simulateWorker } from "./simulated-worker.ts";

const workerCount = 50;
const slots = 4;

const parts = ["baseline", "large", "large-virtual", "head-of-line"] as const;

/** All but the large ones, where no part is named. */
export async function benchKueueBaseline(options: BenchOptions): Promise<Figures> {
  const chosen = chooseParts(options, parts, ["head-of-line", "baseline"]);
  const headOfLine = chosen.has("head-of-line") ? await withOperator(clusterOf({}), drainSingleQueue) : undefined;
  const figures = chosen.has("baseline") ? await play(baseline, options) : undefined;
  const large = chosen.has("large") ? await play(largeScale, options) : undefined;
  const virtual = chosen.has("large-virtual") ? replayVirtually(largeScale) : undefined;
  return {
    ...figures,
    ...(large ? { large } : {}),
    ...(virtual ? { largeVirtual: { ...virtual, bounds: computeBoundSeconds(largeScale) } } : {}),
    ...(headOfLine ? { headOfLine } : {}),
    differs:
      "A workload ends with its signed receipt; verification policy is None and batches are settled later. Kueue's figure is of its own scheduler and controllers with Jobs that nobody runs.",
  };
}

async function play(load: Load, { timeoutMs = 600_000 }: BenchOptions) {
  const policies = buildPolicies(load, "Preempt", "LowerPriority");
  const figures = await withOperator(clusterOf(policies), (bench) => replay(bench, load, timeoutMs));
  const { publishedSeconds } = load;
  return {
    ...figures,
    publishedSeconds,
    // Of the whole load alone.
    ...(figures.left === 0 ? { ratio: round(publishedSeconds / figures.seconds) } : {}),
    bounds: computeBoundSeconds(load),
  };
}

function clusterOf(policies: OperatorConfig["policies"]): BenchClusterParts {
  const batch = { maxAgeMs: 3_600_000, maxTasks: 1_000_000 };
  return { workers: workerCount, slots, validators: ["v1"], config: { policies, batch } };
}

async function replay({ cluster, operator }: Bench, load: Load, timeoutMs: number) {
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
      simulateWorker(cluster, operator.url, {
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
  const progress = tellProgress(() => `kueue: ${arrivals.length - left.size} of ${arrivals.length} workloads ended`);
  const createdSeconds = await create(cluster, arrivals);
  await within(timeoutMs - (performance.now() - begun), done.promise);
  progress.end();
  const seconds = round((performance.now() - begun) / 1_000);
  const { cpuMicroseconds, residentBytes } = await operator.usage();
  await Promise.all(stops.map((stop) => stop()));
  return {
    seconds,
    workloads: arrivals.length,
    left: left.size,
    workloadsPerSecond: round((arrivals.length - left.size) / seconds),
    createdSeconds,
    mostUnitsPerCohort: mostUnits,
    preempted: superseded,
    meanWaitMs: Object.fromEntries(Object.entries(waits).map(([kind, times]) => [kind, mean(times)])),
    operatorCpuMsPerWorkload: round(cpuMicroseconds / 1_000 / Math.max(1, arrivals.length - left.size)),
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
      await createSurely(tasks, toTask(arrival));
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

/** All 536 are there, and the workers have their sessions, before the first worker asks. */
async function drainSingleQueue({ cluster, operator }: Bench) {
  const kind = { name: "small" as const, count: 1, everyMs: 0, runMs: 0, units: 1, priority: 0 };
  const queued = Array.from({ length: 536 }, (_, index) => ({ name: `deep-${index}`, queue: "deep", atMs: 0, kind }));
  await create(cluster, [{ name: "head", queue: "deep", atMs: 0, kind: { ...kind, units: 64, priority: 1_000 } }]);
  await create(cluster, queued);
  const [done, asked, opened] = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ];
  let [given, sessions] = [0, 0];
  const stops = cluster.members
    .filter(({ role }) => role === "Worker")
    .map(({ name }) =>
      simulateWorker(cluster, operator.url, {
        ...{ name, slots, runMs: () => 0, mayClaim: asked.promise },
        onOpen: () => {
          if (++sessions === workerCount) opened.resolve();
        },
        onDone: () => {
          if (++given === queued.length) done.resolve();
        },
      }),
    );
  if (!(await within(60_000, opened.promise))) throw new Error("the workers have no sessions after 60 s");
  const begun = performance.now();
  asked.resolve();
  await within(60_000, done.promise);
  const seconds = round((performance.now() - begun) / 1_000);
  await Promise.all(stops.map((stop) => stop()));
  return { queued: queued.length + 1, given, seconds };
}

const round = (value: number) => Number(value.toFixed(2));
const mean = (times: readonly number[]) =>
  Math.round(times.reduce((sum, ms) => sum + ms, 0) / Math.max(1, times.length));
