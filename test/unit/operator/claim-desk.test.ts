import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { ClaimDesk } from "../../../src/operator/claim-desk.ts";
import type { WorkerFacts } from "../../../src/protocol/matching.ts";
import { TaskPool } from "../../../src/protocol/pool.ts";
import type { WaitingTask } from "../../../src/protocol/waiting-task.ts";

const facts = (name: string, freeSlots: number): WorkerFacts => ({
  ...{
    name,
    address: "0x1",
    isWorker: true,
    cordoned: false,
    disqualified: false,
    bonded: true,
    proven: true,
    tier: "Mid",
  },
  ...{ gpus: 1, memoryMiB: 1, migProfiles: [], nodeLabels: {}, freeSlots, connected: true, models: new Set<string>() },
});
const aTask = (id: string, key: number): WaitingTask => ({
  id,
  key,
  tenant: "default",
  requirements: { tier: "Low" },
  model: "m",
  failedWorkers: [],
});

function aDesk(scores: Record<string, number> = {}) {
  const pool = new TaskPool();
  const slots = new Map<string, number>();
  const desk: ClaimDesk = new ClaimDesk({
    pool,
    clock: systemClock,
    factsOf: (name) => facts(name, (slots.get(name) ?? 4) - desk.handing(name)),
    workers: () => [],
    scoreOf: (name) => scores[name] ?? 0.5,
  });
  return { desk, pool, slots };
}

const never = new AbortController().signal;
const ids = (tasks: readonly WaitingTask[]) => tasks.map(({ id }) => id);

describe("ClaimDesk", () => {
  test("a claim that waits gets the task that comes", async () => {
    const { desk, pool } = aDesk();
    const claim = desk.claim({ worker: "w", slots: 1, waitMs: 5_000 }, never);
    pool.add(aTask("t", 1));
    desk.kick();
    expect(ids(await claim)).toEqual(["t"]);
  });

  test("of two claims of one moment the better record is offered the first task", async () => {
    const { desk, pool } = aDesk({ good: 0.9, bad: 0.1 });
    pool.add(aTask("first", 1));
    pool.add(aTask("second", 2));
    const claims = ["bad", "good"].map((worker) => desk.claim({ worker, slots: 1, waitMs: 5_000 }, never));
    expect((await Promise.all(claims)).map(ids)).toEqual([["second"], ["first"]]);
  });

  test("a claim gets no more than the slots that it asks for and that are free", async () => {
    const { desk, pool, slots } = aDesk();
    slots.set("w", 2);
    for (let i = 0; i < 5; i++) pool.add(aTask(`t${i}`, i));
    expect(ids(await desk.claim({ worker: "w", slots: 4, waitMs: 5_000 }, never))).toEqual(["t0", "t1"]);
    expect(await desk.claim({ worker: "w", slots: 4, waitMs: 20 }, never)).toEqual([]);
    desk.handed("w");
    expect(ids(await desk.claim({ worker: "w", slots: 4, waitMs: 5_000 }, never))).toEqual(["t2"]);
  });

  test("a caller that went away takes nothing out of the pool", async () => {
    const { desk, pool } = aDesk();
    const gone = new AbortController();
    const claim = desk.claim({ worker: "w", slots: 1, waitMs: 5_000 }, gone.signal);
    gone.abort();
    pool.add(aTask("t", 1));
    desk.kick();
    expect(await claim).toEqual([]);
    expect(pool.size).toBe(1);
  });
});
