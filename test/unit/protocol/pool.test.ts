import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { localityMs } from "../../../src/protocol/lane.ts";
import { TaskPool } from "../../../src/protocol/pool.ts";
import { agingMsPerLevel, computeOfferRank, computeQueueKey, maxHeadStartMs } from "../../../src/protocol/priority.ts";
import { maxPassMs } from "../../../src/protocol/quota.ts";
import type { TakeRequest } from "../../../src/protocol/take-request.ts";
import { TaskHeaps } from "../../../src/protocol/task-heap.ts";
import { cell, keyStride, TaskRows } from "../../../src/protocol/task-rows.ts";
import type { WaitingTask } from "../../../src/protocol/waiting-task.ts";
import { NaivePool } from "./naive-pool.ts";

const aTask = (id: string, key: number, change: Partial<WaitingTask> = {}): WaitingTask => ({
  id,
  key,
  tenant: "default",
  requirements: { tier: "Low" },
  model: "m",
  failedWorkers: [],
  ...change,
});
const anyone = (count: number, change: Partial<TakeRequest> = {}): TakeRequest => ({
  count,
  models: new Set(),
  fits: () => true,
  ...change,
});
const ids = (tasks: readonly WaitingTask[]) => tasks.map(({ id }) => id);

describe("TaskPool", () => {
  test("gives the smallest keys first, over all classes", () => {
    const pool = new TaskPool();
    for (const [id, key, model] of [
      ["c", 3, "x"],
      ["a", 1, "x"],
      ["b", 2, "y"],
    ] as const)
      pool.add(aTask(id, key, { model }));
    expect(ids(pool.take(anyone(2)))).toEqual(["a", "b"]);
    expect(pool.size).toBe(1);
  });

  test("a head that does not fit never blocks one that does", () => {
    const pool = new TaskPool();
    pool.add(aTask("big", 1, { requirements: { tier: "High" } }));
    pool.add(aTask("small", 2));
    expect(ids(pool.take(anyone(2, { fits: ({ tier }) => tier === "Low" })))).toEqual(["small"]);
    expect(pool.has("big")).toBe(true);
  });

  test("a task that this worker may not take stays for the next one", () => {
    const pool = new TaskPool();
    pool.add(aTask("failed-here", 1, { failedWorkers: [{ worker: "w" }] }));
    pool.add(aTask("fresh", 2));
    expect(ids(pool.take(anyone(2, { isExcluded: () => true })))).toEqual(["fresh"]);
    expect(ids(pool.take(anyone(2)))).toEqual(["failed-here"]);
  });

  test("in which order workers have failed a task makes no difference: the later of two leaves room only once it is the head", () => {
    const policies = { a: { nominal: 3, borrowing: 4, cohort: "c" }, b: { nominal: 4, cohort: "c" } };
    const [there, back] = [{ worker: "w2", owner: "0xB" }, { worker: "w3" }];
    const [requirements, tenant] = [{ tier: "Mid", gpus: 3 }, "a"] as const;
    const smallOnly = anyone(1, { fits: ({ tier }) => tier === "Low" });
    for (const pool of [new TaskPool(policies), new NaivePool(policies)]) {
      pool.add(aTask("late", maxPassMs + 1, { tenant, requirements, failedWorkers: [back, there] }));
      pool.add(aTask("early", 0, { tenant, requirements, failedWorkers: [there, back] }));
      for (const id of ["small-1", "small-2"]) pool.add(aTask(id, 0, { tenant }));
      expect(pool.take(smallOnly)).toHaveLength(1);
      expect([pool.levelOf("late"), pool.levelOf("early")]).toEqual(["Borrowing", "Borrowing"]);
      pool.remove("early");
      expect(pool.levelOf("late")).toBe("LeavesRoom");
    }
  });

  test("a removed task is not given, and one added again is given once with its new key", () => {
    const pool = new TaskPool();
    pool.add(aTask("a", 1));
    pool.add(aTask("b", 2));
    pool.add(aTask("a", 3));
    pool.remove("b");
    expect(ids(pool.take(anyone(5)))).toEqual(["a"]);
  });

  const locality = [
    { name: "a loaded model goes before one that came a little earlier", gapMs: localityMs - 1, want: "loaded" },
    { name: "but not before one that came much earlier", gapMs: localityMs, want: "other" },
  ];
  for (const { name, gapMs, want } of locality) {
    test(name, () => {
      const pool = new TaskPool();
      pool.add(aTask("other", 0, { model: "other" }));
      pool.add(aTask("loaded", gapMs, { model: "loaded" }));
      expect(ids(pool.take(anyone(1, { models: new Set(["loaded"]) })))).toEqual([want]);
    });
  }

  test("a key that is no number is refused before it can break the order", () => {
    expect(() => new TaskPool().add(aTask("a", Number.NaN))).toThrow(
      expect.objectContaining({ code: "InvalidQueueKey" }),
    );
  });

  test("law: whatever is added and removed, exactly the rest comes out, in order", () => {
    const operation = fc.record({
      id: fc.integer({ min: 0, max: 20 }),
      key: fc.integer({ min: 0, max: 50 }),
      remove: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(operation), (operations) => {
        const pool = new TaskPool();
        const model = new Map<string, number>();
        for (const { id, key, remove } of operations) {
          if (remove) model.delete(String(id));
          else model.set(String(id), key);
          if (remove) pool.remove(String(id));
          else pool.add(aTask(String(id), key, { model: String(id % 3) }));
        }
        const want = [...model].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
        const got = pool.take(anyone(100));
        expect(got.map(({ key }) => key)).toEqual(want.map(([, key]) => key));
        expect(new Set(ids(got))).toEqual(new Set(model.keys()));
      }),
    );
  });
});

describe("TaskHeaps", () => {
  test("law: two heaps in one set of arrays each give what a sort would, whatever is taken out of their middle", () => {
    const operation = fc.record({ value: fc.nat(20), heap: fc.nat(1), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(operation), (operations) => {
        const values = operations.map(({ value }) => value);
        const isBefore = (a: number, b: number) => (values[a - 1] ?? 0) - (values[b - 1] ?? 0) || a - b;
        const rows = new TaskRows();
        while (rows.capacity <= operations.length) rows.grow();
        for (const [index, value] of values.entries()) rows.keys[keyStride * (index + 1)] = value;
        const heaps = new TaskHeaps(rows, cell.laneHeap, (a, b) => a < b);
        const roots = [0, 0];
        const members: number[][] = [[], []];
        for (const [index, { value, heap, remove }] of operations.entries()) {
          const mine = members[heap] ?? [];
          roots[heap] = heaps.insert(roots[heap] ?? 0, index + 1);
          mine.push(index + 1);
          const [gone] = remove ? mine.splice(value % mine.length, 1) : [];
          if (gone !== undefined) roots[heap] = heaps.remove(roots[heap] ?? 0, gone);
        }
        for (const [heap, mine] of members.entries()) {
          const out: number[] = [];
          for (let root = roots[heap] ?? 0; root !== 0; root = heaps.remove(root, root)) out.push(root);
          expect(out).toEqual(mine.toSorted(isBefore));
        }
      }),
    );
  });
});

describe("computeQueueKey", () => {
  const time = fc.integer({ min: 0, max: 1e9 });
  const priority = fc.integer({ min: -1_000, max: 1_000 });
  test("law: of two tasks of one time the higher priority goes first, of two of one priority the earlier", () => {
    fc.assert(
      fc.property(time, priority, fc.integer({ min: 1, max: 100 }), (enqueuedAtMs, level, more) => {
        const key = computeQueueKey({ priority: level, enqueuedAtMs });
        expect(computeQueueKey({ priority: level + more, enqueuedAtMs })).toBeLessThan(key);
        expect(computeQueueKey({ priority: level, enqueuedAtMs: enqueuedAtMs + more })).toBeGreaterThan(key);
      }),
    );
  });

  test("law: nobody waits behind a task that came more than the whole range of priorities later", () => {
    const boundMs = 2_000 * agingMsPerLevel;
    fc.assert(
      fc.property(time, priority, priority, fc.integer({ min: 1, max: 1e9 }), (enqueuedAtMs, mine, theirs, later) => {
        const key = computeQueueKey({ priority: mine, enqueuedAtMs });
        const next = computeQueueKey({ priority: theirs, enqueuedAtMs: enqueuedAtMs + boundMs + later });
        expect(key).toBeLessThan(next);
      }),
    );
  });
});

describe("computeOfferRank", () => {
  test("law: a record is worth at most its head start, whatever it claims to be", () => {
    const reputation = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY));
    fc.assert(
      fc.property(reputation, fc.integer({ min: 0, max: 1e6 }), (score, waitedMs) => {
        const rank = computeOfferRank({ reputation: score, waitedMs });
        expect(rank).toBeGreaterThanOrEqual(waitedMs);
        expect(rank).toBeLessThanOrEqual(waitedMs + maxHeadStartMs);
      }),
    );
  });
  test("of two that have waited as long the better record goes first", () => {
    expect(computeOfferRank({ reputation: 0.9, waitedMs: 5 })).toBeGreaterThan(
      computeOfferRank({ reputation: 0.4, waitedMs: 5 }),
    );
  });
});
