import { describe, expect, test } from "vitest";
import { explainWaiting } from "../../../src/protocol/explain-waiting.ts";
import {
  checkRequirements,
  checkWorker,
  decideAssignments,
  type Requirements,
  type WorkerFacts,
} from "../../../src/protocol/matching.ts";
import { TaskPool } from "../../../src/protocol/pool.ts";
import type { WaitingTask } from "../../../src/protocol/waiting-task.ts";

const aWorker = (name: string, change: Partial<WorkerFacts> = {}): WorkerFacts => ({
  name,
  address: "0x1",
  owner: `0x${name}`,
  isWorker: true,
  cordoned: false,
  disqualified: false,
  bonded: true,
  proven: true,
  tier: "Mid",
  gpus: 1,
  memoryMiB: 16_000,
  computeCapability: "8.0",
  migProfiles: [],
  nodeLabels: { zone: "a" },
  freeSlots: 1,
  connected: true,
  models: new Set(),
  ...change,
});
const aTask = (requirements: Requirements = { tier: "Mid" }, change: Partial<WaitingTask> = {}): WaitingTask => ({
  id: "default/t",
  key: 1,
  tenant: "default",
  requirements,
  model: "m",
  failedWorkers: [],
  ...change,
});

describe("checkRequirements", () => {
  const cases: {
    name: string;
    worker?: Partial<WorkerFacts>;
    wants?: Partial<Requirements>;
    want: string | undefined;
  }[] = [
    { name: "a worker that fits", want: undefined },
    { name: "a validator", worker: { isWorker: false }, want: "NotAWorker" },
    { name: "a banned worker", worker: { disqualified: true, bonded: false }, want: "Disqualified" },
    { name: "a worker without a bond", worker: { bonded: false, cordoned: true }, want: "NotBonded" },
    { name: "a cordoned worker", worker: { cordoned: true }, want: "Cordoned" },
    { name: "a worker that only declares its hardware", worker: { proven: false }, want: "NotProven" },
    { name: "a worker without a tier", worker: { tier: undefined as never }, want: "BelowTier" },
    { name: "a lower tier", worker: { tier: "Low" }, want: "BelowTier" },
    { name: "a higher tier", worker: { tier: "High" }, want: undefined },
    { name: "a launcher for a task of another mode", worker: { mode: "Pod" }, want: "OtherMode" },
    { name: "no launcher for a task in pods", wants: { mode: "Pod" }, want: "OtherMode" },
    { name: "a launcher for a task in pods", worker: { mode: "Pod" }, wants: { mode: "Pod" }, want: undefined },
    { name: "too few GPUs", wants: { gpus: 2 }, want: "TooFewGpus" },
    { name: "too little memory", wants: { memoryMiB: 16_001 }, want: "TooLittleMemory" },
    { name: "just enough memory", wants: { memoryMiB: 16_000 }, want: undefined },
    { name: "a lower compute capability", wants: { computeCapability: "8.6" }, want: "ComputeCapabilityTooLow" },
    {
      name: "a compute capability that is higher as a number and not as text",
      worker: { computeCapability: "12.0" },
      wants: { computeCapability: "8.9" },
      want: undefined,
    },
    {
      name: "an unknown compute capability",
      worker: { computeCapability: undefined as never },
      wants: { computeCapability: "5.0" },
      want: "ComputeCapabilityTooLow",
    },
    { name: "a missing MIG profile", wants: { migProfile: "1g.10gb" }, want: "NoMigProfile" },
    {
      name: "a MIG profile that is there",
      worker: { migProfiles: ["1g.10gb"] },
      wants: { migProfile: "1g.10gb" },
      want: undefined,
    },
    { name: "another zone", wants: { nodeSelector: { zone: "b" } }, want: "NodeSelector" },
  ];
  for (const { name, worker, wants, want } of cases) {
    test(`${name}: ${want ?? "fits"}`, () =>
      expect(checkRequirements(aWorker("w", worker), { tier: "Mid", ...wants })).toBe(want));
  }
});

describe("checkWorker", () => {
  const failed = aTask({ tier: "Mid" }, { failedWorkers: [{ worker: "w1", owner: "0xo1" }] });
  const w1 = aWorker("w1", { owner: "0xO1" });
  const sibling = aWorker("w2", { owner: "0xo1" });
  const stranger = aWorker("w3", { owner: "0xo3" });
  const cases = [
    {
      name: "a worker that failed the task is passed over while a stranger can take it",
      worker: w1,
      others: [w1, stranger],
      want: "FailedBefore",
    },
    {
      name: "so is another worker of the same owner",
      worker: sibling,
      others: [w1, sibling, stranger],
      want: "FailedBefore",
    },
    {
      name: "also where the stranger is busy",
      worker: w1,
      others: [w1, { ...stranger, freeSlots: 0 }],
      want: "FailedBefore",
    },
    {
      name: "the owner's other worker gets it where there is no stranger",
      worker: sibling,
      others: [w1, sibling],
      want: undefined,
    },
    { name: "and then the failed worker does not", worker: w1, others: [w1, sibling], want: "FailedBefore" },
    { name: "alone it gets it again", worker: w1, others: [w1], want: undefined },
    {
      name: "a stranger that is away does not count",
      worker: w1,
      others: [w1, { ...stranger, connected: false }],
      want: undefined,
    },
    {
      name: "a stranger of too low a tier does not count",
      worker: w1,
      others: [w1, { ...stranger, tier: "Low" as const }],
      want: undefined,
    },
  ];
  for (const { name, worker, others, want } of cases)
    test(name, () => expect(checkWorker(worker, failed, others)).toBe(want));

  const barred = aTask({ tier: "Mid" }, { failedWorkers: [{ worker: "w1", owner: "0xo1", isBarred: true }] });
  const strict = [
    { name: "who has a shard's other copy does not get this one, alone or not", worker: w1, want: "HasOtherCopy" },
    { name: "nor does another worker of the same owner", worker: sibling, want: "HasOtherCopy" },
    { name: "a stranger does", worker: stranger, want: undefined },
  ];
  for (const { name, worker, want } of strict)
    test(name, () => {
      expect(checkWorker(worker, barred, [worker])).toBe(want);
      const pool = new TaskPool();
      pool.add(barred);
      expect(decideAssignments(worker, pool, () => [worker])).toHaveLength(want === undefined ? 1 : 0);
    });
  test("and it is said what a copy waits for", () =>
    expect(explainWaiting(barred, [w1, sibling])).toEqual({
      reason: "NoWorkerFits",
      message: "0/2 workers: 2 of the owner who has its other copy; add a worker of another owner",
    }));
  test("a worker without a free slot is busy", () =>
    expect(checkWorker({ ...w1, freeSlots: 0 }, aTask(), [])).toBe("Busy"));
  test("a worker that is away is offline", () =>
    expect(checkWorker({ ...w1, connected: false }, aTask(), [])).toBe("Offline"));
});

describe("decideAssignments", () => {
  test("never hands out more than the free slots", () => {
    const pool = new TaskPool();
    for (let i = 0; i < 5; i++) pool.add(aTask({ tier: "Mid" }, { id: `t${i}`, key: i }));
    const worker = aWorker("w", { freeSlots: 2 });
    expect(decideAssignments(worker, pool, () => [worker]).map(({ id }) => id)).toEqual(["t0", "t1"]);
    expect(decideAssignments({ ...worker, freeSlots: 0 }, pool, () => [worker])).toEqual([]);
    expect(pool.size).toBe(3);
  });
});

describe("explainWaiting", () => {
  const cases: { name: string; workers: WorkerFacts[]; want: { reason: string; message: string } }[] = [
    {
      name: "no workers at all",
      workers: [aWorker("v", { isWorker: false })],
      want: { reason: "NoWorkers", message: "0/0 workers" },
    },
    {
      name: "nobody fits: counts by reason, in the order of the checks",
      workers: [
        aWorker("a", { tier: "Low" }),
        aWorker("b", { tier: "Low" }),
        aWorker("c", { freeSlots: 0 }),
        aWorker("d", { bonded: false }),
      ],
      want: { reason: "WorkersBusy", message: "0/4 workers: 1 not bonded, 2 below tier Mid, 1 busy" },
    },
    {
      name: "only tiers are in the way",
      workers: [aWorker("a", { tier: "Low" })],
      want: {
        reason: "NoWorkerFits",
        message: "0/1 workers: 1 below tier Mid; add a worker of tier Mid, or lower spec.tier",
      },
    },
    {
      name: "the fix is that of the worker that came furthest",
      workers: [aWorker("a", { bonded: false }), aWorker("b", { bonded: false }), aWorker("c", { tier: "Low" })],
      want: {
        reason: "NoWorkerFits",
        message: "0/3 workers: 2 not bonded, 1 below tier Mid; add a worker of tier Mid, or lower spec.tier",
      },
    },
    {
      name: "who fits is away",
      workers: [aWorker("a", { connected: false })],
      want: { reason: "WorkersOffline", message: "0/1 workers: 1 offline" },
    },
    {
      name: "somebody could take it",
      workers: [aWorker("a"), aWorker("b", { tier: "Low" })],
      want: { reason: "Waiting", message: "1/2 workers: 1 below tier Mid" },
    },
  ];
  for (const { name, workers, want } of cases) test(name, () => expect(explainWaiting(aTask(), workers)).toEqual(want));
  test("a tenant without quota is told that, and not that workers are busy", () => {
    const explained = explainWaiting(aTask(), [aWorker("a", { freeSlots: 0 })], "OverQuota");
    expect(explained).toEqual({ reason: "OverQuota", message: "0/1 workers: 1 busy; default uses all of its quota" });
  });
});

describe("tasks of both modes in one pool", () => {
  test("go to workers of their own mode, whichever asks first", () => {
    const pool = new TaskPool();
    pool.add(aTask({ tier: "Mid" }, { id: "default/own", key: 2 }));
    pool.add(aTask({ tier: "Mid", mode: "Pod" }, { id: "default/pods", key: 1 }));
    const none = () => [];
    const idsFor = (worker: WorkerFacts) => decideAssignments(worker, pool, none).map(({ id }) => id);
    expect(idsFor(aWorker("w", { freeSlots: 2 }))).toEqual(["default/own"]);
    expect(idsFor(aWorker("w", { freeSlots: 2 }))).toEqual([]);
    expect(idsFor(aWorker("l", { mode: "Pod", freeSlots: 2 }))).toEqual(["default/pods"]);
  });

  test("say what they wait for", () => {
    const { reason, message } = explainWaiting(aTask({ tier: "Mid", mode: "Pod" }), [aWorker("w")]);
    expect(reason).toBe("NoWorkerFits");
    expect(message).toBe("0/1 workers: 1 not launchers of pods; add a launcher, a worker of mode Pod");
  });
});
