/** A load that Kueue publishes played through the pool in virtual time: what the rules alone make of it. */
import { DelayHeap, type Due } from "../../src/kube/delay-heap.ts";
import { TaskPool } from "../../src/protocol/pool.ts";
import { computeQueueKey } from "../../src/protocol/priority.ts";
import { type Arrival, buildPolicies, type Load, listArrivals, namespace } from "./kueue-load.ts";

interface Event extends Due {
  readonly arrival: Arrival;
  /** Start, where it is the end. */
  readonly startedMs: number | undefined;
}

export function replayVirtually(load: Load) {
  const pool = new TaskPool(buildPolicies(load, "Preempt", "LowerPriority"));
  const events = new DelayHeap<Event>();
  const arrivals = new Map(listArrivals(load).map((arrival) => [arrival.name, arrival]));
  const starts = new Map<string, number>();
  const waits: Record<string, number[]> = { small: [], medium: [], large: [] };
  for (const arrival of arrivals.values()) events.push({ at: arrival.atMs, arrival, startedMs: undefined });
  const add = ({ name, kind, queue, atMs }: Arrival) =>
    pool.add({
      ...{ id: name, tenant: `${namespace}/${queue}`, requirements: { tier: "Low", gpus: kind.units }, model: "m" },
      key: computeQueueKey({ priority: kind.priority, enqueuedAtMs: atMs }),
      priority: kind.priority,
      failedWorkers: [],
    });
  const begun = performance.now();
  let [nowMs, preempted] = [0, 0];
  const take = () => {
    for (const { id } of pool.take({ count: 1_000, models: new Set(), fits: () => true })) {
      const arrival = arrivals.get(id);
      if (!arrival) continue;
      starts.set(id, nowMs);
      events.push({ at: nowMs + arrival.kind.runMs, arrival, startedMs: nowMs });
    }
  };
  for (let due = events.pop(); due !== undefined; due = events.pop()) {
    nowMs = due.at;
    const { arrival, startedMs } = due;
    if (startedMs === undefined) add(arrival);
    // Preempted meanwhile, and perhaps started again.
    else if (starts.get(arrival.name) !== startedMs) continue;
    else {
      pool.finish(arrival.name);
      waits[arrival.kind.name]?.push(startedMs - arrival.atMs);
    }
    take();
    for (const id of [...pool.reclaim(), ...pool.preempt()]) {
      const victim = arrivals.get(id);
      starts.delete(id);
      preempted++;
      if (victim) add(victim);
    }
    take();
  }
  const mean = (times: readonly number[]) => Math.round(times.reduce((sum, ms) => sum + ms, 0) / times.length);
  return {
    workloads: arrivals.size,
    left: pool.size,
    preempted,
    virtualSeconds: nowMs / 1_000,
    wallSeconds: Number(((performance.now() - begun) / 1_000).toFixed(2)),
    meanWaitMs: Object.fromEntries(Object.entries(waits).map(([name, times]) => [name, mean(times)])),
    maxWaitMs: Object.fromEntries(Object.entries(waits).map(([name, times]) => [name, Math.max(0, ...times)])),
  };
}
