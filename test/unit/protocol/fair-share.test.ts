import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SharePolicies, tenantOf } from "../../../src/protocol/fair-share.ts";
import { TaskPool } from "../../../src/protocol/pool.ts";
import { maxPassMs } from "../../../src/protocol/quota.ts";
import type { WaitingTask } from "../../../src/protocol/waiting-task.ts";

const aTask = (tenant: string, index: number, change: Partial<WaitingTask> = {}): WaitingTask => ({
  id: `${tenant}/${index}`,
  key: index,
  tenant,
  requirements: { tier: "Low" },
  model: "m",
  failedWorkers: [],
  ...change,
});
const take = (pool: TaskPool, count: number, fits: (gpus: number) => boolean = () => true) =>
  pool.take({ count, models: new Set(), fits: ({ gpus }) => fits(gpus ?? 1) });
const gpus = (count: number): Partial<WaitingTask> => ({ requirements: { tier: "Low", gpus: count } });

describe("tenantOf", () => {
  test("a queue that no policy names shares with its namespace: names of queues earn nothing", () => {
    const policies = { "team/urgent": { weight: 2 } };
    expect(tenantOf(policies, "team", "urgent")).toBe("team/urgent");
    expect(tenantOf(policies, "team", "made-up-17")).toBe("team");
    expect(tenantOf(policies, "team", "constructor")).toBe("team");
  });
});

describe("fair share", () => {
  test("law: tenants that wait together get work by weight, within one task of each", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 60 }), (each, count) => {
        const policies = Object.fromEntries(each.map((weight, index) => [`t${index}`, { weight }]));
        const pool = new TaskPool(policies);
        for (const name of Object.keys(policies)) for (let i = 0; i < 60; i++) pool.add(aTask(name, i));
        const given = new Map<string, number>();
        for (const { tenant } of take(pool, count)) given.set(tenant, (given.get(tenant) ?? 0) + 1);
        const shares = each.map((weight, index) => (given.get(`t${index}`) ?? 0) / weight);
        for (const [i, share] of shares.entries()) {
          for (const [j, other] of shares.entries()) {
            expect(Math.abs(share - other)).toBeLessThanOrEqual(1 / (each[i] ?? 1) + 1 / (each[j] ?? 1) + 1e-9);
          }
        }
      }),
    );
  });

  test("a tenant that floods the pool delays another's only task by one", () => {
    const pool = new TaskPool();
    for (let i = 0; i < 1_000; i++) pool.add(aTask("flood", i));
    take(pool, 500);
    pool.add(aTask("small", 5_000));
    expect(take(pool, 2).map(({ tenant }) => tenant)).toContain("small");
  });

  test("time in which no worker fitted earns credit up to a bound", () => {
    const pool = new TaskPool();
    for (let i = 0; i < 1_000; i++) {
      pool.add(aTask("busy", i));
      pool.add(aTask("unfit", i, gpus(8)));
    }
    take(pool, 500, (wants) => wants < 8);
    const given = take(pool, 60).map(({ tenant }) => tenant);
    // One task of eight units for eight of one, and 64 units of credit.
    const unfit = given.filter((tenant) => tenant === "unfit").length;
    expect(unfit).toBeGreaterThanOrEqual(8);
    expect(unfit).toBeLessThanOrEqual(18);
  });

  test("absence earns no credit", () => {
    const pool = new TaskPool();
    for (let i = 0; i < 1_000; i++) pool.add(aTask("busy", i));
    take(pool, 500);
    for (let i = 0; i < 100; i++) pool.add(aTask("late", i));
    const late = take(pool, 20).filter(({ tenant }) => tenant === "late").length;
    expect(late).toBeGreaterThanOrEqual(9);
    expect(late).toBeLessThanOrEqual(11);
  });
});

describe("quotas", () => {
  const cohort = { a: { nominal: 4, borrowing: 4, cohort: "c" }, b: { nominal: 4, borrowing: 4, cohort: "c" } };

  test("law: nobody runs beyond nominal and borrowed, no cohort beyond its nominals, and nothing is lost", () => {
    const step = fc.record({
      tenant: fc.constantFrom("a", "b", "c", "free"),
      gpus: fc.integer({ min: 1, max: 5 }),
      act: fc.constantFrom("add", "take", "finish", "remove"),
    });
    const policies: SharePolicies = { ...cohort, c: { nominal: 3 } };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const pool = new TaskPool(policies);
        const [waits, runs] = [new Set<string>(), new Set<string>()];
        for (const [index, { tenant, gpus: units, act }] of steps.entries()) {
          if (act === "add") {
            pool.add(aTask(tenant, index, gpus(units)));
            waits.add(`${tenant}/${index}`);
          } else if (act === "take") {
            for (const { id } of take(pool, 1, (wants) => wants <= units)) {
              expect(waits.delete(id)).toBe(true);
              runs.add(id);
            }
          } else {
            const [id = ""] = act === "finish" ? runs : waits;
            if (act === "finish") pool.finish(id);
            else pool.remove(id);
            runs.delete(id);
            waits.delete(id);
          }
          const usage = pool.usage();
          const of = (name: string) => usage.get(name) ?? 0;
          expect(Math.max(of("a"), of("b"), of("a") + of("b"))).toBeLessThanOrEqual(8);
          expect(of("c")).toBeLessThanOrEqual(3);
          expect([pool.size, pool.running]).toEqual([waits.size, runs.size]);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("law: what fits its quota and the worker is given, whatever waits in front of it", () => {
    const tasks = fc.array(fc.tuple(fc.constantFrom("a", "b", "d"), fc.integer({ min: 1, max: 9 })), { maxLength: 30 });
    fc.assert(
      fc.property(tasks, (wants) => {
        const pool = new TaskPool({ ...cohort, d: { nominal: 2 } });
        for (const [index, [tenant, units]] of wants.entries()) pool.add(aTask(tenant, index, gpus(units)));
        take(pool, 100);
        for (const task of pool.values()) expect(["Within", "Borrowing"]).not.toContain(pool.levelOf(task.id));
      }),
    );
  });

  test("what a tenant lends comes back to it before anybody borrows more", () => {
    const pool = new TaskPool(cohort);
    for (let i = 0; i < 20; i++) pool.add(aTask("a", i));
    const borrowed = take(pool, 20);
    expect(borrowed).toHaveLength(8);
    pool.add(aTask("b", 100, gpus(4)));
    const order: string[] = [];
    for (const { id } of borrowed) {
      pool.finish(id);
      order.push(...take(pool, 20).map((task) => task.tenant));
      if (order.includes("b")) break;
    }
    expect(order).toEqual(["b"]);
  });

  test("a large task that waits for its quota is not passed for ever by small ones, nor are those stopped by it at once", () => {
    const pool = new TaskPool({ a: { nominal: 4 } });
    pool.add(aTask("a", 0));
    const [first] = take(pool, 1);
    pool.add(aTask("a", 1, gpus(4)));
    pool.add(aTask("a", 2));
    expect(take(pool, 1).map(({ key }) => key)).toEqual([2]);
    pool.add(aTask("a", maxPassMs + 2));
    expect(take(pool, 1)).toEqual([]);
    pool.finish(first?.id ?? "");
    pool.finish("a/2");
    expect(take(pool, 1).map(({ key }) => key)).toEqual([1]);
  });

  test("a task that is larger than its quota says so and stops nobody", () => {
    const pool = new TaskPool({ a: { nominal: 2 } });
    pool.add(aTask("a", 0, gpus(3)));
    pool.add(aTask("a", maxPassMs * 2));
    expect(take(pool, 5).map(({ key }) => key)).toEqual([maxPassMs * 2]);
    expect(pool.levelOf("a/0")).toBe("TooLarge");
  });

  test("what runs already after a restart counts, once", () => {
    const pool = new TaskPool({ a: { nominal: 2 } });
    for (const index of [0, 1, 1]) pool.occupy(aTask("a", index));
    pool.add(aTask("a", 5));
    expect(take(pool, 1)).toEqual([]);
    pool.finish("a/1");
    pool.finish("a/1");
    expect(take(pool, 2).map(({ id }) => id)).toEqual(["a/5"]);
  });

  test("law: the same steps give the same order", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("a", "b", "x"), fc.integer({ min: 1, max: 4 }))), (wants) => {
        const play = () => {
          const pool = new TaskPool(cohort);
          for (const [index, [tenant, units]] of wants.entries()) pool.add(aTask(tenant, index % 7, gpus(units)));
          return take(pool, 100).map(({ id }) => id);
        };
        expect(play()).toEqual(play());
      }),
    );
  });

  test("a policy that makes no sense is refused at once", () => {
    for (const policy of [{ weight: 0 }, { nominal: -1 }, { cohort: "c" }, { weight: Number.NaN }])
      expect(() => new TaskPool({ a: policy }).add(aTask("a", 1))).toThrow(
        expect.objectContaining({ code: "InvalidSharePolicy" }),
      );
  });
});
