/**
 * The loads that Kueue publishes for its scheduler (test/performance/scheduler/configs): which workloads arrive when, in which
 * queue, how large they are, for how long they run, with which priority; and what the queues may use.
 */
import type { SharePolicies } from "../../src/protocol/fair-share.ts";

export interface Kind {
  readonly name: "small" | "medium" | "large";
  /** Per queue. */
  readonly count: number;
  readonly everyMs: number;
  readonly runMs: number;
  readonly units: number;
  readonly priority: number;
}

export interface Load {
  readonly cohorts: number;
  readonly queuesPerCohort: number;
  readonly nominal: number;
  readonly borrowing: number;
  readonly kinds: readonly Kind[];
  /** What Kueue takes for it, by its own figures. */
  readonly publishedSeconds: number;
}

export interface Arrival {
  readonly atMs: number;
  readonly queue: string;
  readonly name: string;
  readonly kind: Kind;
}

/** 15,000 workloads. */
export const baseline: Load = {
  publishedSeconds: 351,
  cohorts: 5,
  queuesPerCohort: 6,
  nominal: 20,
  borrowing: 100,
  kinds: [
    { name: "small", count: 350, everyMs: 100, runMs: 200, units: 1, priority: 50 },
    { name: "medium", count: 100, everyMs: 500, runMs: 500, units: 5, priority: 100 },
    { name: "large", count: 50, everyMs: 1_200, runMs: 1_000, units: 20, priority: 200 },
  ],
};

/** 50,000 workloads; its file grew to 60,000 in 2,000 queues later. */
export const largeScale: Load = {
  publishedSeconds: 1_179,
  cohorts: 10,
  queuesPerCohort: 100,
  nominal: 20,
  borrowing: 100,
  kinds: [
    { name: "small", count: 35, everyMs: 60, runMs: 150, units: 1, priority: 50 },
    { name: "medium", count: 11, everyMs: 300, runMs: 350, units: 5, priority: 100 },
    { name: "large", count: 4, everyMs: 700, runMs: 700, units: 20, priority: 200 },
  ],
};

export const namespace = "default";

function listQueues({ cohorts, queuesPerCohort }: Load): { readonly name: string; readonly cohort: string }[] {
  return Array.from({ length: cohorts * queuesPerCohort }, (_, index) => ({
    name: `queue-${index}`,
    cohort: `cohort-${index % cohorts}`,
  }));
}

/** Each queue takes back what it lent and prefers its higher priorities, as the published one does (reclaimWithinCohort, withinClusterQueue). */
export function buildPolicies(
  load: Load,
  reclaim: "Wait" | "Preempt",
  preempt: "Never" | "LowerPriority",
): SharePolicies {
  const { nominal, borrowing } = load;
  return Object.fromEntries(
    listQueues(load).map(({ name, cohort }) => [
      `${namespace}/${name}`,
      { nominal, borrowing, cohort, reclaim, preempt },
    ]),
  );
}

/** In the order of their times. */
export function listArrivals(load: Load): Arrival[] {
  const arrivals = listQueues(load).flatMap(({ name: queue }) =>
    load.kinds.flatMap((kind) =>
      Array.from({ length: kind.count }, (_, index) => ({
        ...{ atMs: (index + 1) * kind.everyMs, queue, kind },
        name: `${queue}-${kind.name}-${index}`,
      })),
    ),
  );
  return arrivals.sort((a, b) => a.atMs - b.atMs);
}

/** Below this no system can be, whatever it schedules: when the last arrives, and what the quotas allow. */
export function computeBoundSeconds(load: Load): { readonly arrivals: number; readonly quota: number } {
  const unitMs = load.kinds.reduce((sum, { count, runMs, units }) => sum + count * runMs * units, 0);
  const last = Math.max(...load.kinds.map(({ count, everyMs }) => count * everyMs));
  return { arrivals: last / 1_000, quota: unitMs / load.nominal / 1_000 };
}
