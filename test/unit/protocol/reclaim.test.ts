/** Who lent gets it back: from whom, how much, and never in a circle. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SharePolicies } from "../../../src/protocol/fair-share.ts";
import { TaskPool } from "../../../src/protocol/pool.ts";
import type { WaitingTask } from "../../../src/protocol/waiting-task.ts";
import { low, takeOne } from "./low-tasks.ts";

describe("reclaim", () => {
  const lenders: SharePolicies = {
    a: { nominal: 4, borrowing: 8, cohort: "c" },
    b: { nominal: 4, borrowing: 8, cohort: "c", reclaim: "Preempt" },
    d: { nominal: 4, borrowing: 8, cohort: "c", reclaim: "Preempt" },
  };
  const fill = (pool: TaskPool, running: WaitingTask[]) => {
    for (let next = takeOne(pool); next; next = takeOne(pool)) running.push(next);
  };

  test("who lent gets it back at once, from the latest starts, and only as much as it needs", () => {
    const pool = new TaskPool(lenders);
    for (let i = 0; i < 12; i++) pool.add(low(`a/${i}`, i, "a"));
    fill(pool, []);
    pool.add(low("b/0", 100, "b", 3));
    takeOne(pool);
    expect(pool.levelOf("b/0")).toBe("Reclaiming");
    expect(pool.reclaim()).toEqual(["a/11", "a/10", "a/9"]);
    expect(pool.reclaim()).toEqual([]);
    for (const id of ["a/11", "a/10", "a/9"]) pool.add(low(id, 0, "a"));
    expect(takeOne(pool)?.id).toBe("b/0");
    expect(takeOne(pool)).toBeUndefined();
    expect(pool.reclaim()).toEqual([]);
  });

  test("more is not lost than is won: a task is not ended for a smaller one where its tenant was entitled to most of it", () => {
    const pool = new TaskPool(lenders);
    pool.add(low("a/0", 0, "a", 8));
    pool.add(low("d/0", 1, "d", 4));
    fill(pool, []);
    pool.add(low("b/0", 100, "b", 4));
    takeOne(pool);
    expect(pool.levelOf("b/0")).toBe("Reclaiming");
    expect(pool.reclaim()).toEqual([]);
  });

  test("who has not asked for it waits, and one that was spared is named again", () => {
    const pool = new TaskPool({ ...lenders, b: { nominal: 4, borrowing: 8, cohort: "c" } });
    for (let i = 0; i < 12; i++) pool.add(low(`a/${i}`, i, "a"));
    fill(pool, []);
    pool.add(low("b/0", 100, "b"));
    takeOne(pool);
    expect(pool.reclaim()).toEqual([]);
    pool.add(low("d/0", 100, "d"));
    takeOne(pool);
    const victims = pool.reclaim();
    expect(victims).toHaveLength(1);
    pool.spare(victims[0] ?? "");
    expect(pool.reclaim()).toEqual(victims);
  });

  test("law: no circle: without changes from outside there are no more rounds than the sum of the nominals", () => {
    const wish = fc.tuple(fc.constantFrom("a", "b", "d"), fc.integer({ min: 1, max: 5 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 30, size: "max" }), (wishes) => {
        const pool = new TaskPool(lenders);
        let running: WaitingTask[] = [];
        for (const isEarly of [true, false]) {
          for (const [index, [name, units, early]] of wishes.entries())
            if (early === isEarly) pool.add(low(`${name}/${index}`, index, name, units));
          fill(pool, running);
        }
        let rounds = 0;
        for (let victims = pool.reclaim(); victims.length > 0; victims = pool.reclaim()) {
          expect(rounds++).toBeLessThan(12);
          for (const task of running.filter(({ id }) => victims.includes(id))) pool.add(task);
          running = running.filter(({ id }) => !victims.includes(id));
          fill(pool, running);
        }
        const usage = pool.usage();
        for (const name of ["b", "d"]) {
          const own = 4 - (usage.get(name) ?? 0);
          const others = [...pool.values()].filter(
            (task) => task.tenant === name && (task.requirements.gpus ?? 1) <= own,
          );
          const excess = ["a", "b", "d"].reduce((sum, one) => sum + Math.max(0, (usage.get(one) ?? 0) - 4), 0);
          // What its nominal has room for waits only where nothing is borrowed that could give way without a loss.
          if (others.length > 0) expect(excess).toBeLessThan(5);
        }
      }),
      { numRuns: 300 },
    );
  });
});
