/** The pool against rules that are obviously right, and what follows from them: no starvation, fair shares, no over-commit. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxLag, type SharePolicies } from "../../../src/protocol/fair-share.ts";
import { TaskPool } from "../../../src/protocol/pool.ts";
import { maxPassMs } from "../../../src/protocol/quota.ts";
import type { TakeRequest } from "../../../src/protocol/take-request.ts";
import { tiers } from "../../../src/protocol/tier.ts";
import type { WaitingTask } from "../../../src/protocol/waiting-task.ts";
import { low, takeOne } from "./low-tasks.ts";
import { NaivePool } from "./naive-pool.ts";

const policies: SharePolicies = {
  a: { nominal: 3, borrowing: 4, cohort: "c", weight: 2, preempt: "LowerPriority" },
  b: { nominal: 2, borrowing: 1, cohort: "c" },
  d: { nominal: 4, borrowing: 0, cohort: "c", weight: 0.5 },
  e: { nominal: 3, preempt: "LowerPriority" },
  f: { weight: 3 },
};
const tenant = fc.constantFrom("a", "b", "d", "e", "f", "g", "h");
const failure = fc.constantFrom({ worker: "w1", owner: "0xA" }, { worker: "w2", owner: "0xB" }, { worker: "w3" });

const task = fc.record({
  number: fc.integer({ min: 0, max: 25 }),
  tenant,
  // Some far apart, so that later ones must leave room, and some within reach of a loaded model.
  key: fc.oneof(
    fc.integer({ min: 0, max: 6 }).map((step) => step * maxPassMs * 0.6),
    fc.integer({ min: 0, max: 2_000 }),
  ),
  priority: fc.integer({ min: -1, max: 2 }),
  tier: fc.constantFrom(...tiers),
  gpus: fc.integer({ min: 1, max: 5 }),
  zone: fc.constantFrom(undefined, "east", "west"),
  model: fc.constantFrom("m1", "m2", "m3"),
  failures: fc.array(failure, { maxLength: 2 }),
});
const worker = fc.record({
  name: fc.constantFrom("w1", "w2", "w3", "w4"),
  owner: fc.constantFrom("0xa", "0xb", undefined),
  tier: fc.integer({ min: 0, max: 2 }),
  gpus: fc.integer({ min: 1, max: 5 }),
  zone: fc.constantFrom("east", "west"),
  models: fc.array(fc.constantFrom("m1", "m2", "m3", "m9"), { maxLength: 2 }),
  count: fc.integer({ min: 0, max: 3 }),
});
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ act: fc.constant("add" as const), task }) },
  { weight: 5, arbitrary: fc.record({ act: fc.constant("take" as const), worker }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("finish" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("remove" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("relax" as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("preempt" as const) }) },
);

type TaskChoice = typeof task extends fc.Arbitrary<infer T> ? T : never;
type WorkerChoice = typeof worker extends fc.Arbitrary<infer T> ? T : never;

function toTask({ number, tenant, key, priority, tier, gpus, zone, model, failures }: TaskChoice): WaitingTask {
  const requirements = { tier, gpus, ...(zone ? { nodeSelector: { zone } } : {}) };
  return { id: `t${number}`, key, priority, tenant, requirements, model, failedWorkers: failures };
}

function toRequest({ name, owner, tier, gpus, zone, models, count }: WorkerChoice): TakeRequest {
  return {
    count,
    models: new Set(models),
    fits: (wants) =>
      tier >= tiers.indexOf(wants.tier) && gpus >= (wants.gpus ?? 0) && (wants.nodeSelector?.zone ?? zone) === zone,
    profile: (labels) => `${tier} ${gpus} ${labels.map((label) => (label === "zone" ? zone : ""))}`,
    worker: name,
    owner,
    isExcluded: ({ failedWorkers }) =>
      failedWorkers.some((failed) => failed.worker === name || (owner && failed.owner?.toLowerCase() === owner)),
  };
}

describe("TaskPool", () => {
  test("law: decides as the plain rules do, whatever happens", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: "max" }), (steps) => {
        const [pool, naive] = [new TaskPool(policies), new NaivePool(policies)];
        const [waiting, running] = [new Set<string>(), new Set<string>()];
        const pick = (from: Set<string>, which: number) => [...from][which % Math.max(1, from.size)] ?? "";
        for (const choice of steps) {
          if (choice.act === "add") {
            const added = toTask(choice.task);
            pool.add(added);
            naive.add(added);
            running.delete(added.id);
            waiting.add(added.id);
          } else if (choice.act === "take") {
            const request = toRequest(choice.worker);
            const got = pool.take(request).map(({ id }) => id);
            expect(got).toEqual(naive.take(request));
            for (const id of got) {
              waiting.delete(id);
              running.add(id);
            }
          } else if (choice.act === "preempt") {
            expect(pool.preempt().sort()).toEqual(naive.preempt().sort());
          } else {
            const id = pick(choice.act === "finish" ? running : waiting, choice.which);
            for (const one of [pool, naive]) one[choice.act](id);
            (choice.act === "finish" ? running : choice.act === "remove" ? waiting : new Set()).delete(id);
          }
          for (const id of waiting) expect([id, pool.levelOf(id)]).toEqual([id, naive.levelOf(id)]);
          for (const [name, units] of pool.usage()) expect([name, units]).toEqual([name, naive.usage(name)]);
          expect([pool.size, pool.running]).toEqual([waiting.size, running.size]);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("law: of many tenants, alone and in many cohorts, the one whose turn it is goes next", () => {
    const names = Array.from({ length: 24 }, (_, index) => `t${index}`);
    const shares: SharePolicies = Object.fromEntries(
      names.map((name, index) => {
        const quota = { nominal: 2, borrowing: 2, cohort: `c${index % 6}` };
        return [name, { weight: 1 + (index % 3), ...(index < 12 ? quota : {}) }];
      }),
    );
    const round = fc.record({ tenant: fc.constantFrom(...names), tier: fc.constantFrom(...tiers), ends: fc.boolean() });
    fc.assert(
      fc.property(fc.array(round, { minLength: 20, maxLength: 80, size: "max" }), (rounds) => {
        const [pool, naive] = [new TaskPool(shares), new NaivePool(shares)];
        const running: string[] = [];
        for (const [index, { tenant, tier, ends }] of rounds.entries()) {
          const added = [tenant, names[(index * 7) % names.length] ?? ""].map((name, which) => ({
            ...low(`${name}/${2 * index + which}`, index, name),
            requirements: { tier },
          }));
          for (const one of added) for (const side of [pool, naive]) side.add(one);
          const fits = (wants: WaitingTask["requirements"]) => wants.tier === tier || wants.tier === "Low";
          const request = { count: 1, models: new Set<string>(), fits, profile: () => tier };
          const got = pool.take(request).map(({ id }) => id);
          expect(got).toEqual(naive.take(request));
          running.push(...got);
          const done = ends ? running.shift() : undefined;
          if (done !== undefined) for (const side of [pool, naive]) side.finish(done);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("law: many different demands, tenants and models at once are kept apart and all come out", () => {
    const pool = new TaskPool();
    for (let i = 0; i < 3_000; i++)
      pool.add({
        id: `t${i}`,
        key: i,
        tenant: `n${i % 150}`,
        requirements: { tier: "Low", memoryMiB: i % 1_000 },
        model: `m${i % 70}`,
        failedWorkers: i % 10 === 0 ? [{ worker: `w${i % 300}` }] : [],
      });
    const out = new Set<string>();
    for (let memory = 0; memory < 1_000; memory++) {
      const fits = ({ memoryMiB = 0 }) => memoryMiB <= memory;
      const request = { count: 5, models: new Set<string>(), fits, profile: () => String(memory), worker: "w30" };
      for (const { id, requirements, failedWorkers } of pool.take({ ...request, isExcluded: () => true })) {
        expect(requirements.memoryMiB).toBeLessThanOrEqual(memory);
        expect(failedWorkers).not.toContainEqual({ worker: "w30" });
        expect(out.has(id)).toBe(false);
        out.add(id);
      }
    }
    const rest = pool.take({ count: 3_000, models: new Set(), fits: () => true });
    expect(out.size + rest.length).toBe(3_000);
    expect(pool.size).toBe(0);
  });
});

describe("starvation", () => {
  const rival = fc.record({ weight: fc.integer({ min: 1, max: 8 }), gpus: fc.integer({ min: 1, max: 4 }) });

  test("law: a task is taken within the bound, however many tasks others bring and whatever their weight", () => {
    const setting = { rivals: fc.array(rival, { minLength: 1, maxLength: 5 }), ahead: fc.nat(4), before: fc.nat(80) };
    fc.assert(
      fc.property(fc.record({ ...setting, weight: fc.integer({ min: 1, max: 3 }) }), (given) => {
        const { rivals, ahead, before, weight } = given;
        const names = rivals.map((_, index) => `r${index}`);
        const pool = new TaskPool({
          me: { weight },
          ...Object.fromEntries(names.map((name, i) => [name, rivals[i] ?? {}])),
        });
        let made = 0;
        const refill = () => {
          for (const [i, name] of names.entries()) pool.add(low(`${name}/${made++}`, -1e9, name, rivals[i]?.gpus));
        };
        for (let i = 0; i < before; i++) {
          refill();
          takeOne(pool);
        }
        for (let i = 0; i <= ahead; i++) pool.add(low(`me/${i}`, i, "me"));
        const perTurn = 1 + rivals.reduce((sum, other) => sum + 1 + (1 / weight + maxLag) * other.weight, 0);
        let decisions = 0;
        for (let id = ""; id !== `me/${ahead}`; decisions++) {
          refill();
          id = takeOne(pool)?.id ?? "";
          expect(decisions).toBeLessThan((ahead + 1) * perTurn);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("law: behind its own quota and behind borrowers the oldest task waits two generations at most", () => {
    const shares = { me: { nominal: 4, borrowing: 4, cohort: "c" }, rich: { nominal: 4, borrowing: 8, cohort: "c" } };
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("me", "rich"), fc.integer({ min: 1, max: 3 })), { minLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        (others, gpus) => {
          const pool = new TaskPool(shares);
          let made = 0;
          let running: string[] = [];
          const refill = () => {
            for (const [name, units] of others) pool.add(low(`${name}/${made++}`, maxPassMs + 10 + made, name, units));
          };
          const fill = () => {
            for (let next = takeOne(pool); next; next = takeOne(pool)) running.push(next.id);
          };
          refill();
          fill();
          pool.add(low("oldest", 0, "me", gpus));
          for (let generation = 0; generation < 2 && !running.includes("oldest"); generation++) {
            const ends = running;
            running = [];
            for (const id of ends) {
              pool.finish(id);
              refill();
              fill();
            }
          }
          expect(running).toContain("oldest");
        },
      ),
      { numRuns: 100 },
    );
  });
});
