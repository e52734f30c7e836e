/**
 * A load like that of Kueue's published performance test (configs/baseline): 30 queues in 5 cohorts, nominal 20 and
 * borrowing 100 each, and per queue 350 small, 100 medium and 50 large workloads with their own rhythm, run time, size and
 * priority. Played through the pool in virtual time; the wall time is what the decisions cost.
 */
import type { SharePolicies } from "../../src/protocol/fair-share.ts";
import { Heap } from "../../src/protocol/heap.ts";
import { TaskPool } from "../../src/protocol/pool.ts";
import { computeQueueKey } from "../../src/protocol/priority.ts";

const kinds = [
  { name: "small", count: 350, everyMs: 100, runMs: 200, units: 1, priority: 50 },
  { name: "medium", count: 100, everyMs: 500, runMs: 500, units: 5, priority: 100 },
  { name: "large", count: 50, everyMs: 1_200, runMs: 1_000, units: 20, priority: 200 },
] as const;
type Kind = (typeof kinds)[number];

interface Event {
  readonly atMs: number;
  readonly task: string;
  readonly queue: string;
  readonly kind: Kind;
  readonly ends: boolean;
}

export function replayKueueBaseline() {
  const queues = Array.from({ length: 30 }, (_, index) => ({ name: `queue-${index}`, cohort: `cohort-${index % 5}` }));
  const policies: SharePolicies = Object.fromEntries(
    queues.map(({ name, cohort }) => [name, { nominal: 20, borrowing: 100, cohort }]),
  );
  const pool = new TaskPool(policies);
  const events = new Heap<Event>((a, b) => a.atMs - b.atMs || (a.task < b.task ? -1 : 1));
  for (const { name } of queues) for (const event of listArrivals(name)) events.push(event);
  const waits = Object.fromEntries(kinds.map(({ name }) => [name, [] as number[]]));
  const arrivals = new Map<string, Event>();
  const started = performance.now();
  let nowMs = 0;
  for (let event = events.pop(); event !== undefined; event = events.pop()) {
    nowMs = event.atMs;
    if (event.ends) pool.finish(event.task);
    else {
      arrivals.set(event.task, event);
      pool.add({
        id: event.task,
        key: computeQueueKey({ priority: event.kind.priority, enqueuedAtMs: nowMs }),
        tenant: event.queue,
        requirements: { tier: "Low", gpus: event.kind.units },
        model: "m",
        failedWorkers: [],
      });
    }
    for (const { id } of pool.take({ count: 1_000, models: new Set(), fits: () => true })) {
      const arrival = arrivals.get(id);
      if (!arrival) continue;
      waits[arrival.kind.name]?.push(nowMs - arrival.atMs);
      events.push({ ...arrival, atMs: nowMs + arrival.kind.runMs, ends: true });
    }
  }
  const worst = (times: readonly number[]) => Math.round(Math.max(0, ...times));
  const mean = (times: readonly number[]) => Math.round(times.reduce((sum, ms) => sum + ms, 0) / times.length);
  return {
    workloads: arrivals.size,
    left: pool.size,
    virtualSeconds: nowMs / 1_000,
    wallSeconds: Number(((performance.now() - started) / 1_000).toFixed(2)),
    meanWaitMs: Object.fromEntries(Object.entries(waits).map(([name, times]) => [name, mean(times)])),
    maxWaitMs: Object.fromEntries(Object.entries(waits).map(([name, times]) => [name, worst(times)])),
    differs:
      "No API server, controllers or Jobs, and time is virtual: only the decisions are real. Nothing is preempted: what was lent is waited for.",
  };
}

function listArrivals(queue: string): Event[] {
  return kinds.flatMap((kind) =>
    Array.from({ length: kind.count }, (_, index) => ({
      ...{ atMs: (index + 1) * kind.everyMs, queue, kind, ends: false },
      task: `${queue}/${kind.name}-${index}`,
    })),
  );
}
