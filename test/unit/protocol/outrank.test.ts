/** Tasks of one tenant that give way to its own next one. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SharePolicies } from "../../../src/protocol/fair-share.ts";
import { TaskPool } from "../../../src/protocol/pool.ts";
import { agingMsPerLevel, computeQueueKey } from "../../../src/protocol/priority.ts";
import type { WaitingTask } from "../../../src/protocol/waiting-task.ts";

interface Wish {
  readonly priority?: number;
  readonly cameMs?: number;
  readonly units?: number;
  readonly tenant?: string;
}

function aTask(id: string, { priority = 0, cameMs = 0, units = 1, tenant = "a" }: Wish = {}): WaitingTask {
  const key = computeQueueKey({ priority, enqueuedAtMs: cameMs });
  return { id, key, priority, tenant, requirements: { tier: "Low", gpus: units }, model: "m", failedWorkers: [] };
}

const quota: SharePolicies = { a: { nominal: 3, preempt: "LowerPriority" } };
const takeAll = (pool: TaskPool, fits: (task: WaitingTask["requirements"]) => boolean = () => true) =>
  pool.take({ count: 100, models: new Set(), fits }).map(({ id }) => id);

function filled(tasks: readonly WaitingTask[], policies = quota): TaskPool {
  const pool = new TaskPool(policies);
  for (const task of tasks) pool.add(task);
  takeAll(pool);
  return pool;
}

describe("priority within a tenant", () => {
  const running = [aTask("low", { priority: -1 }), aTask("old"), aTask("new", { cameMs: 10 })];

  test("the lowest gives way, of equal ones the latest start, and the one that needs it runs next", () => {
    const pool = filled(running);
    pool.add(aTask("first", { priority: 5, cameMs: 100 }));
    expect(takeAll(pool)).toEqual([]);
    expect(pool.preempt()).toEqual(["low"]);
    expect(pool.preempt()).toEqual([]);
    pool.add(running[0] as WaitingTask);
    expect(takeAll(pool)).toEqual(["first"]);
    pool.add(aTask("second", { priority: 5, cameMs: 200 }));
    takeAll(pool);
    expect(pool.preempt()).toEqual(["new"]);
  });

  test("nothing gives way to an equal, to one behind it in the queue, or for less than is needed", () => {
    const pool = filled(running);
    pool.add(aTask("equal", { priority: -1, cameMs: 100 }));
    takeAll(pool);
    expect(pool.preempt()).toEqual([]);
    const late = filled(running);
    late.add(aTask("late", { priority: 5, cameMs: 8 * agingMsPerLevel }));
    takeAll(late);
    expect(late.preempt()).toEqual([]);
    const large = filled([...running.slice(1), aTask("high", { priority: 9 })]);
    large.add(aTask("large", { priority: 5, cameMs: 100, units: 3 }));
    takeAll(large);
    expect(large.preempt()).toEqual([]);
  });

  test("a small one is spared where a larger one is needed anyway", () => {
    const pool = filled([aTask("small", { priority: -2 }), aTask("large", { priority: -1, units: 2 })]);
    pool.add(aTask("first", { priority: 1, cameMs: 10, units: 2 }));
    takeAll(pool);
    expect(pool.preempt()).toEqual(["large"]);
  });

  test("who does not ask for it waits, and no other tenant is touched", () => {
    const pool = filled([aTask("a", { priority: -1, units: 3 }), aTask("b", { priority: -1, tenant: "b" })], {
      ...quota,
      b: { nominal: 1 },
    });
    pool.add(aTask("b2", { priority: 5, cameMs: 10, tenant: "b" }));
    takeAll(pool);
    expect(pool.preempt()).toEqual([]);
  });

  test("one that nobody has asked for yet has nothing give way", () => {
    const pool = filled(running);
    pool.add(aTask("first", { priority: 5, cameMs: 100, units: 2 }));
    expect(pool.preempt()).toEqual([]);
    expect(takeAll(pool, ({ gpus = 0 }) => gpus < 2)).toEqual([]);
    expect(pool.preempt()).toEqual([]);
  });

  test("what ran before a restart gives way where its rank is known, and else never", () => {
    const pool = new TaskPool(quota);
    const [known, unknown] = [aTask("known", { priority: -1 }), aTask("unknown", { priority: -1, units: 2 })];
    pool.occupy(known);
    pool.occupy({ id: unknown.id, tenant: "a", requirements: unknown.requirements });
    pool.add(aTask("first", { priority: 5, cameMs: 10 }));
    takeAll(pool);
    expect(pool.preempt()).toEqual(["known"]);
    pool.add(aTask("second", { priority: 6, cameMs: 10, units: 2 }));
    takeAll(pool);
    expect(pool.preempt()).toEqual([]);
  });

  test("law: no circle: what gave way does not start before what it gave way to, and rounds are fewer than tasks", () => {
    const wish = fc.record({
      priority: fc.integer({ min: -2, max: 2 }),
      cameMs: fc.integer({ min: 0, max: 4 * agingMsPerLevel }),
      units: fc.integer({ min: 1, max: 3 }),
    });
    const policies: SharePolicies = {
      a: { nominal: 4, borrowing: 2, cohort: "c", preempt: "LowerPriority" },
      b: { nominal: 2, borrowing: 4, cohort: "c" },
    };
    const all = fc.array(fc.tuple(wish, fc.constantFrom("a", "a", "b"), fc.boolean()), { maxLength: 30, size: "max" });
    fc.assert(
      fc.property(all, fc.integer({ min: 1, max: 3 }), (wishes, most) => {
        const tasks = wishes.map(([one, tenant], index) => aTask(`${tenant}/${index}`, { ...one, tenant }));
        const pool = new TaskPool(policies);
        for (const isEarly of [true, false]) {
          for (const [index, task] of tasks.entries()) if (wishes[index]?.[2] === isEarly) pool.add(task);
          takeAll(pool);
        }
        let rounds = 0;
        for (let victims = pool.preempt(); victims.length > 0; victims = pool.preempt()) {
          expect(rounds++).toBeLessThan(tasks.length + 1);
          for (const task of tasks.filter(({ id }) => victims.includes(id))) pool.add(task);
          // First comes a worker that is too small for some.
          const started = [...takeAll(pool, ({ gpus = 0 }) => gpus <= most), ...takeAll(pool)];
          const isOutranking = (id: string) => id.startsWith("a/") && !victims.includes(id);
          const again = started.findIndex((id) => victims.includes(id));
          expect(again < 0 || started.slice(0, again).some(isOutranking)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
