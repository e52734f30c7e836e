/** What the pool remembers of a worker from one claim to the next must not outlive a change. */
import { describe, expect, test } from "vitest";
import { decideAssignments, describeHardware, type WorkerFacts } from "../../../src/protocol/matching.ts";
import { TaskPool } from "../../../src/protocol/pool.ts";
import type { WaitingTask } from "../../../src/protocol/waiting-task.ts";

const aTask = (id: string, change: Partial<WaitingTask> = {}): WaitingTask => ({
  ...{ id, key: 0, tenant: "t", requirements: { tier: "Low" }, model: "m", failedWorkers: [] },
  ...change,
});

const [none, zoneA, zoneB] = [{}, { zone: "a" }, { zone: "b" }];

/** As a directory has them: what has not changed is the same object. */
function aWorker(change: Partial<WorkerFacts> = {}): WorkerFacts {
  const facts: WorkerFacts = {
    ...{ name: "w", address: "0x1", isWorker: true, cordoned: false, disqualified: false, bonded: true, proven: true },
    ...{ tier: "Mid" as const, gpus: 1, memoryMiB: 1, migProfiles: [], nodeLabels: none, freeSlots: 1 },
    ...{ connected: true, models: noModels, ...change },
  };
  return { ...facts, hardware: change.hardware ?? describeHardware(facts) };
}
const noModels: ReadonlySet<string> = new Set();

const claim = (pool: TaskPool, worker: WorkerFacts, others: readonly WorkerFacts[] = []) =>
  decideAssignments(worker, pool, () => others).map(({ id }) => id);

interface Change {
  readonly title: string;
  readonly before: Partial<WorkerFacts>;
  readonly after: Partial<WorkerFacts>;
  readonly tasks: readonly WaitingTask[];
  readonly want: readonly string[];
}

const plain = [aTask("any")];
const changes: readonly Change[] = [
  {
    title: "a label of its node",
    ...{ before: { nodeLabels: zoneB }, after: { nodeLabels: zoneA }, want: ["zoned"] },
    tasks: [aTask("zoned", { requirements: { tier: "Low", nodeSelector: { zone: "a" } } })],
  },
  {
    title: "its hardware",
    ...{ before: {}, after: { tier: "High" }, want: ["high"] },
    tasks: [aTask("high", { requirements: { tier: "High" } })],
  },
  {
    title: "the models it has loaded",
    ...{ before: { models: new Set(["m"]), freeSlots: 0 }, after: { models: new Set(["n"]) }, want: ["loaded"] },
    tasks: [aTask("first"), aTask("loaded", { key: 500, model: "n" })],
  },
  {
    title: "its owner",
    before: { owner: "0xB", freeSlots: 0 },
    ...{ after: { owner: "0xA" }, want: ["fresh"] },
    tasks: [aTask("failed", { failedWorkers: [{ worker: "x", owner: "0xa" }] }), aTask("fresh", { key: 1 })],
  },
  { title: "uncordoned", before: { cordoned: true }, after: {}, tasks: plain, want: ["any"] },
  { title: "pardoned", before: { disqualified: true }, after: {}, tasks: plain, want: ["any"] },
  { title: "bonded", before: { bonded: false }, after: {}, tasks: plain, want: ["any"] },
  { title: "proven", before: { proven: false }, after: {}, tasks: plain, want: ["any"] },
  { title: "a validator that became a worker", before: { isWorker: false }, after: {}, tasks: plain, want: ["any"] },
];

describe("a worker that changed between two claims", () => {
  for (const { title, before, after, tasks, want } of changes)
    test(title, () => {
      const pool = new TaskPool();
      pool.add(aTask("impossible", { requirements: { tier: "High", gpus: 99 } }));
      // Each model has a number before the first claim.
      for (const task of tasks) pool.add(task);
      const other = aWorker({ name: "other", owner: "0xc" });
      const first = decideAssignments({ ...aWorker(before), freeSlots: 1 }, pool, () => [other]);
      for (const task of first) pool.add(task);
      expect(claim(pool, aWorker(after), [other])).toEqual(want);
    });
});

describe("what is waited for changed between two claims", () => {
  test("workers that were alike differ in a label that a new task asks for", () => {
    const pool = new TaskPool();
    const workers = [aWorker({ name: "b", nodeLabels: zoneB }), aWorker({ name: "a", nodeLabels: zoneA })];
    for (const worker of workers) expect(claim(pool, worker)).toEqual([]);
    pool.add(aTask("zoned", { requirements: { tier: "Low", nodeSelector: { zone: "a" } } }));
    expect(workers.map((worker) => claim(pool, worker))).toEqual([[], ["zoned"]]);
  });

  test("a model that nobody named before is one that the worker has loaded", () => {
    const pool = new TaskPool();
    const worker = aWorker({ models: new Set(["n"]) });
    expect(claim(pool, worker)).toEqual([]);
    pool.add(aTask("first"));
    pool.add(aTask("loaded", { key: 500, model: "n" }));
    expect(claim(pool, worker)).toEqual(["loaded"]);
  });
});
