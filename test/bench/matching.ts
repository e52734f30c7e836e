/**
 * Matching through the real pool and rules, without an API server: 5,000 workers and 200,000 queued tasks of 200 tenants with
 * all policies on (weights, quotas, cohorts, priorities, aging, model locality, exclusion after failures), and a tenth and
 * ten times of each, so that the growth is seen. A decision is one claim of one slot: the worker's last task ends, and it
 * gets the next; a new task takes its place. Also one queue of 536 whose head fits nobody, and a load like Kueue's
 * published baseline in virtual time.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { SharePolicies } from "../../src/protocol/fair-share.ts";
import {
  decideAssignments,
  describeHardware,
  type Requirements,
  type WorkerFacts,
} from "../../src/protocol/matching.ts";
import { TaskPool } from "../../src/protocol/pool.ts";
import { computeQueueKey } from "../../src/protocol/priority.ts";
import type { WaitingTask } from "../../src/protocol/waiting-task.ts";
import { baseline } from "./kueue-load.ts";
import { replayVirtually } from "./kueue-virtual.ts";

const modelCount = 24;
const decisions = 200_000;
/** After so many, as many new tasks come. */
const batch = 50;

const wanted: readonly Requirements[] = [
  { tier: "Low" },
  { tier: "Low", memoryMiB: 6_000 },
  { tier: "Mid" },
  { tier: "Mid", computeCapability: "8.0" },
  { tier: "Mid", memoryMiB: 20_000 },
  { tier: "Mid", nodeSelector: { zone: "a" } },
  { tier: "Mid", nodeSelector: { zone: "b" } },
  { tier: "High" },
  { tier: "High", memoryMiB: 80_000 },
  { tier: "High", gpus: 2 },
  { tier: "High", gpus: 4, computeCapability: "8.0" },
  { tier: "High", migProfile: "1g.10gb" },
];

export async function benchMatching(): Promise<Record<string, unknown>> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const measure = (factor: number) =>
    benchScale({ workers: 500 * factor, tasks: 20_000 * factor, tenants: 20 * factor, collect });
  measure(1);
  const scales = [measure(1), measure(10), measure(100)];
  return { ...scales[1], scales, headOfLine: drainSingleQueue(), kueueLike: replayVirtually(baseline) };
}

interface Scale {
  readonly workers: number;
  readonly tasks: number;
  readonly tenants: number;
  readonly collect: () => void;
}

function benchScale({ workers: workerCount, tasks, tenants, collect }: Scale) {
  const random = createRandom(workerCount);
  const workers = Array.from({ length: workerCount }, (_, index) => aWorker(index, random));
  collect();
  const before = process.memoryUsage();
  const filling = performance.now();
  const pool = new TaskPool(buildPolicies(tenants));
  for (let index = 0; index < tasks; index++) pool.add(aTask(index, tenants, random));
  const addMs = performance.now() - filling;
  collect();
  const after = process.memoryUsage();
  const bytes = after.heapUsed + after.external - before.heapUsed - before.external;
  const loop: Loop = { pool, workers, held: new Array(workerCount).fill(undefined), given: [], next: tasks };
  const times = new Float64Array(decisions);
  let [assigned, cpuMicroseconds] = [0, 0];
  for (let index = 0; index < decisions; ) {
    const cpu = process.cpuUsage();
    for (const end = Math.min(decisions, index + batch); index < end; index++) {
      // First everybody asks once, then whoever has ended.
      const worker = index < workerCount ? index : Math.floor(random() * workerCount);
      const begun = performance.now();
      if (decideOnce(loop, worker)) assigned++;
      times[index] = (performance.now() - begun) * 1_000;
    }
    const spent = process.cpuUsage(cpu);
    cpuMicroseconds += spent.user + spent.system;
    // As many as were given out, and of the same kinds.
    for (const task of loop.given.splice(0)) pool.add(renew(task, loop.next++));
  }
  const seconds = times.reduce((sum, us) => sum + us, 0) / 1e6;
  times.sort();
  const at = (share: number) => round(times[Math.floor(decisions * share)] ?? Number.NaN, 2);
  return {
    workers: workerCount,
    tasks,
    tenants,
    decisionsPerSecond: Math.round(decisions / seconds),
    // On a busy machine the wall time is others': this is the processor's.
    decisionsPerCpuSecond: Math.round((decisions / cpuMicroseconds) * 1e6),
    meanUs: round((seconds / decisions) * 1e6, 2),
    p50Us: at(0.5),
    p99Us: at(0.99),
    maxUs: at(1 - 1 / decisions),
    assignedShare: round(assigned / decisions, 3),
    bytesPerQueuedTask: Math.round(bytes / tasks),
    addsPerSecond: Math.round((tasks / addMs) * 1_000),
  };
}

interface Loop {
  readonly pool: TaskPool;
  readonly workers: readonly WorkerFacts[];
  /** Task that the worker of this index runs. */
  readonly held: (string | undefined)[];
  /** Since new tasks came last. */
  readonly given: WaitingTask[];
  next: number;
}

/** A worker's last task ends and it claims the next. */
function decideOnce({ pool, workers, held, given }: Loop, index: number): boolean {
  const worker = workers[index];
  if (!worker) return false;
  const done = held[index];
  if (done !== undefined) pool.finish(done);
  held[index] = undefined;
  const [task] = decideAssignments(worker, pool, () => workers);
  if (!task) return false;
  held[index] = task.id;
  given.push(task);
  return true;
}

/** Half of the tenants in cohorts of ten with quotas, half without; weights from 1 to 4. */
function buildPolicies(tenants: number): SharePolicies {
  const policies = Array.from({ length: tenants }, (_, index) => {
    const weight = 1 + (index % 4);
    const quota = index % 2 === 0 ? { nominal: 20, borrowing: 40, cohort: `cohort-${Math.floor(index / 20)}` } : {};
    return [`tenant-${index}`, { weight, ...quota }] as const;
  });
  return Object.fromEntries(policies);
}

function aTask(index: number, tenants: number, random: () => number): WaitingTask {
  const pick = (count: number) => Math.floor(random() * count);
  const failed = pick(100) === 0 ? [{ worker: `node-${pick(2)}`, owner: "0xf" }] : [];
  return {
    id: `tenant-${index % tenants}/task-${index}`,
    key: computeQueueKey({ priority: pick(5) * 100, enqueuedAtMs: index }),
    tenant: `tenant-${pick(tenants)}`,
    requirements: { ...(wanted[pick(wanted.length)] ?? { tier: "Low" }) },
    model: `sha256:${String(pick(modelCount)).padStart(64, "0")}`,
    failedWorkers: failed,
  };
}

function renew(task: WaitingTask, index: number): WaitingTask {
  const priority = (index % 5) * 100;
  return { ...task, id: `${task.tenant}/task-${index}`, key: computeQueueKey({ priority, enqueuedAtMs: index }) };
}

function aWorker(index: number, random: () => number): WorkerFacts {
  const pick = (count: number) => Math.floor(random() * count);
  const tier = (["Low", "Mid", "High"] as const)[index % 3] ?? "Low";
  const hardware = {
    tier,
    gpus: tier === "High" ? 4 : 1,
    memoryMiB: { Low: 8_000, Mid: 24_000, High: 81_920 }[tier],
    computeCapability: { Low: "6.1", Mid: "8.9", High: "9.0" }[tier],
    migProfiles: index % 9 === 2 ? ["1g.10gb"] : [],
  };
  const model = () => `sha256:${String(pick(modelCount)).padStart(64, "0")}`;
  return {
    name: `node-${index}`,
    address: `0x${index.toString(16).padStart(40, "0")}`,
    owner: `0x${(index % 50).toString(16)}`,
    isWorker: true,
    cordoned: false,
    disqualified: false,
    bonded: true,
    proven: true,
    ...hardware,
    hardware: describeHardware(hardware),
    nodeLabels: { zone: "abc"[index % 3] ?? "a" },
    freeSlots: 1,
    connected: true,
    models: new Set([model(), model()]),
  };
}

/** Kueue #14477: one queue, and its first task fits no worker that is there. */
function drainSingleQueue() {
  const pool = new TaskPool({ research: { nominal: 2_000 } });
  const task = (index: number, requirements: Requirements): WaitingTask => ({
    ...{ id: `research/${index}`, key: index, tenant: "research", model: "m", failedWorkers: [] },
    requirements,
  });
  pool.add(task(0, { tier: "High", gpus: 64 }));
  for (let index = 1; index <= 536; index++) pool.add(task(index, { tier: "Mid" }));
  const random = createRandom(1);
  const workers = Array.from({ length: 1_300 }, (_, index) => aWorker(index, random));
  const started = performance.now();
  let given = 0;
  for (const worker of workers) given += decideAssignments(worker, pool, () => workers).length;
  return { queued: 537, workers: workers.length, given, left: pool.size, ms: round(performance.now() - started, 2) };
}

/** Park and Miller's generator: the same load in every run. */
function createRandom(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const round = (value: number, digits: number) => Number(value.toFixed(digits));
