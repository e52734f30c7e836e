import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideAssignments, describeHardware, type WorkerFacts } from "../../../src/protocol/matching.ts";
import { TaskPool } from "../../../src/protocol/pool.ts";
import { Replay } from "../../../src/protocol/replay.ts";
import { formatTraceEvent, parseTraceEvent, type TraceEvent } from "../../../src/protocol/trace.ts";
import type { WaitingTask } from "../../../src/protocol/waiting-task.ts";

const policies = {
  a: { nominal: 2, borrowing: 4, cohort: "c", preempt: "LowerPriority" },
  b: { nominal: 4, cohort: "c", reclaim: "Preempt" },
} as const;
const tiers = ["Low", "Mid", "High"] as const;

const aTask = (number: number, tenant: string, change: Partial<WaitingTask> = {}): WaitingTask => ({
  ...{ id: `t${number}`, key: number, tenant, requirements: { tier: "Low" }, model: "m", failedWorkers: [] },
  ...change,
});
const aWorker = (name: string, change: Partial<WorkerFacts> = {}): WorkerFacts => ({
  ...{ name, address: "0x1", isWorker: true, cordoned: false, disqualified: false, bonded: true, proven: true },
  ...{ tier: "Mid" as const, gpus: 4, memoryMiB: 1, migProfiles: [], nodeLabels: {}, freeSlots: 1, connected: true },
  ...{ models: new Set(["m"]), ...change },
});

function record(play: (pool: TaskPool) => void): string[] {
  const lines = [formatTraceEvent({ op: "begin", version: 1, policies, atMs: 0 })];
  play(new TaskPool(policies, (event) => lines.push(formatTraceEvent({ ...event, atMs: lines.length } as TraceEvent))));
  return lines;
}

function replay(lines: readonly string[], followed?: string) {
  const player = new Replay(followed);
  const decisions = lines.flatMap((line, index) => player.apply(parseTraceEvent(line, index + 1)) ?? []);
  return { player, decisions };
}

const step = fc.record({
  act: fc.constantFrom("add", "claim", "claim", "finish", "remove", "relax", "reclaim", "preempt"),
  number: fc.nat(15),
  tenant: fc.constantFrom("a", "b", "free"),
  tier: fc.constantFrom(...tiers),
  gpus: fc.integer({ min: 1, max: 3 }),
  failed: fc.boolean(),
  out: fc.constantFrom(undefined, undefined, "cordoned", "disqualified"),
});

/** Objects that are the same as long as nothing has changed, as an operator has them. */
const labels: Readonly<Record<string, WorkerFacts["nodeLabels"]>> = {
  ...{ a: { zone: "a" }, b: { zone: "b" }, free: { zone: "free" } },
};
const loaded = { a: new Set(["m"]), b: new Set(["n"]), free: new Set<string>() };

/** One of three workers, which change now and then: what the pool remembers of them must not outlive that. */
function aKnownWorker({ number, tier, gpus, tenant, out }: Step): WorkerFacts {
  const hardware = { tier, gpus, memoryMiB: 1, migProfiles: [] };
  return aWorker(`w${number % 3}`, {
    ...{ ...hardware, hardware: describeHardware(hardware), nodeLabels: labels[tenant] ?? {}, models: loaded[tenant] },
    ...(out ? { [out]: true } : {}),
  });
}

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

describe("Replay", () => {
  test("law: what was recorded is decided again, whatever happened", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
        const given: string[][] = [];
        const lines = record((pool) => {
          for (const choice of steps) {
            const { act, number, tenant, tier, gpus, failed } = choice;
            const worker = aKnownWorker(choice);
            const failedWorkers = failed ? [{ worker: `w${number % 2}` }] : [];
            const others = [worker, aWorker("other", { tier: "High" })];
            const requirements = { tier, gpus, ...(failed ? { nodeSelector: { zone: tenant } } : {}) };
            const model = "mn"[number % 2] ?? "m";
            if (act === "add")
              pool.add(aTask(number, tenant, { ...{ requirements, failedWorkers, model }, priority: number % 3 }));
            else if (act === "reclaim" || act === "preempt") pool[act]();
            else if (act === "claim") {
              const ids = decideAssignments(worker, pool, () => others).map(({ id }) => id);
              if (ids.length > 0) given.push(ids);
            } else pool[act as "finish" | "remove" | "relax"](`t${number}`);
          }
        });
        const { decisions } = replay(lines);
        expect(decisions.map(({ taken }) => taken.map(({ id }) => id))).toEqual(
          decisions.map(({ recorded }) => recorded),
        );
        expect(decisions.map(({ recorded }) => recorded).filter((ids) => ids.length > 0)).toEqual(given);
      }),
      { numRuns: 150 },
    );
  });

  test("a record that another decision stands in is seen to differ", () => {
    const lines = record((pool) => {
      for (const number of [1, 2]) pool.add(aTask(number, "free"));
      decideAssignments(aWorker("w"), pool, () => []);
    });
    const forged = lines.map((line) => line.replace('"taken":["t1"]', '"taken":["t2"]'));
    const [decision] = replay(forged).decisions;
    expect(decision?.taken.map(({ id }) => id)).toEqual(["t1"]);
    expect(decision?.recorded).toEqual(["t2"]);
  });

  test("tells why a task was passed over, and when it was given", () => {
    const lines = record((pool) => {
      pool.add(aTask(1, "free", { requirements: { tier: "High" } }));
      pool.add(aTask(2, "free", { requirements: { tier: "High" }, key: 0 }));
      pool.add(aTask(3, "free"));
      decideAssignments(aWorker("mid"), pool, () => []);
      decideAssignments(aWorker("high-1", { tier: "High" }), pool, () => []);
      decideAssignments(aWorker("high-2", { tier: "High" }), pool, () => []);
      pool.finish("t1");
    });
    const { player } = replay(lines, "t1");
    expect(player.passed).toMatchObject([
      { worker: "mid", reason: "BelowTier", instead: { id: "t3" } },
      { worker: "high-1", reason: "OlderTask", instead: { id: "t2" } },
    ]);
    expect(player.story.map(({ what }) => what)).toEqual(["waits", "given to high-2", "ended"]);
  });

  for (const line of ["", "{", "[]", '{"op":"fly","atMs":1}', '{"op":"add"}', '{"op":"begin","version":2,"atMs":1}'])
    test(`the line ${line || "without anything"} is refused by its number`, () =>
      expect(() => parseTraceEvent(line, 7)).toThrow(
        expect.objectContaining({ code: "InvalidTrace", message: expect.stringContaining("Line 7") }),
      ));
});
