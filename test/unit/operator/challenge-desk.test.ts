import { describe, expect, test, vi } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { CapabilityBook } from "../../../src/operator/capability-book.ts";
import { ChallengeDesk, type ChallengeTimes } from "../../../src/operator/challenge-desk.ts";
import type { Directory } from "../../../src/operator/directory.ts";
import type { WorkerObject } from "../../../src/operator/kinds.ts";
import type { RecordStore, StoredRecord } from "../../../src/operator/record-store.ts";
import type { CapabilityChallenge } from "../../../src/pool/wire.ts";
import { defaultProofPolicy, type ProofPolicy } from "../../../src/protocol/proven-capability.ts";
import { aDirectory, aWorkerNode } from "./a-directory.ts";

const times: ChallengeTimes = { firstMs: 60_000, validMs: 86_400_000, retryMs: 600_000 };
const validators = ["0xA1", "0xA2", "0xA3"].map((start) => start.padEnd(42, "0"));
/** In place of arithmetic: what every honest machine finds for a column. */
const digestOf = (column: number, mind = 0) => Buffer.alloc(4, (column * 7 + mind) % 251);
const digestsOf = (columns: readonly number[], mind = 0) =>
  Buffer.concat(columns.map((column) => digestOf(column, mind)));

type Verify = NonNullable<ConstructorParameters<typeof ChallengeDesk>[0]["verifyEvidence"]>;

class Bench {
  nowMs = Date.parse("2026-06-01T00:00:00Z");
  readonly records = new Map<string, StoredRecord>();
  readonly book: CapabilityBook;
  readonly desk: ChallengeDesk;
  readonly directory: Directory;
  readonly changes: string[] = [];
  current: WorkerObject | undefined;
  readonly #workers: WorkerObject[];

  constructor(
    workers: readonly WorkerObject[],
    parts: { policy?: Partial<ProofPolicy>; off?: boolean; panel?: number; verify?: Verify } = {},
  ) {
    this.#workers = [...workers];
    const clock = { now: () => this.nowMs, monotonic: () => this.nowMs };
    const store = {
      list: async () => [...this.records.values()],
      save: async (record: StoredRecord) => void this.records.set(record.name, record),
    };
    this.book = new CapabilityBook(store as unknown as RecordStore);
    this.directory = aDirectory(this.#workers, {
      clock: clock as never,
      proofPolicy: { ...defaultProofPolicy, ...parts.policy },
      challengeOf: (worker) => this.desk.recordOf(worker),
    });
    const candidates = validators
      .slice(0, parts.panel ?? 3)
      .map((address, index) => ({ name: `v${index}`, address, stakeWei: 1n, reputation: 1 }));
    const directory = {
      get: (name: string) => this.current ?? this.directory.get(name),
      candidates: () => candidates,
      provenOf: (worker: WorkerObject, nowMs: number) => this.directory.provenOf(worker, nowMs),
    };
    this.desk = new ChallengeDesk({
      ...{ book: this.book, clock: clock as never, logger: silentLogger, directory },
      times: parts.off ? undefined : times,
      ...(parts.verify ? { verifyEvidence: parts.verify } : {}),
      onChange: (worker) => this.changes.push(worker),
      onDuty: () => undefined,
    });
  }

  /** The WorkerNode changes. */
  replace(worker: WorkerObject): void {
    this.current = worker;
  }

  pass(ms: number): void {
    this.nowMs += ms;
  }

  /** The challenge that comes once the first is certainly due. */
  take(name: string): CapabilityChallenge {
    const early = this.desk.next(name);
    this.pass(times.firstMs * 1.5);
    const challenge = early ?? this.desk.next(name);
    if (!challenge) throw new Error(`${name} is not challenged`);
    return challenge;
  }

  answer(
    name: string,
    { challengeId, plan }: CapabilityChallenge,
    parts: { afterMs?: number; mind?: number; devices?: readonly string[] } = {},
  ) {
    this.pass(parts.afterMs ?? 5_000);
    const all = Array.from({ length: plan.columns }, (_, column) => column);
    const digests = digestsOf(all, parts.mind).toString("base64");
    return this.desk.answer(name, {
      challengeId,
      outcome: { kind: "Done", digests, provider: "cuda", ...evidenceOf(parts.devices) },
    });
  }

  /** Who is asked now, and what it says. */
  check(mind = 0): string | undefined {
    for (const validator of validators) {
      const duty = this.desk.nextDuty(validator);
      if (!duty) continue;
      const digests = digestsOf(duty.columns, mind).toString("base64");
      this.desk.check(validator, { kind: "challenge", challengeId: duty.challengeId, digests });
      return validator;
    }
    return undefined;
  }

  proven(name: string) {
    return this.directory.provenOf(this.current ?? this.directory.get(name)!, this.nowMs);
  }
}

const gpuWorker = () => aWorkerNode("gpu");

describe("when a worker is challenged", () => {
  test("not at once, around a minute after it was first idle, and once at a time", () => {
    const bench = new Bench([gpuWorker()]);
    expect(bench.desk.next("gpu")).toBeUndefined();
    bench.pass(times.firstMs * 0.49);
    expect(bench.desk.next("gpu")).toBeUndefined();
    bench.pass(times.firstMs * 1.02);
    expect(bench.desk.next("gpu")).toMatchObject({ plan: { devices: 1 }, limitMs: expect.any(Number) });
    expect(bench.desk.next("gpu")).toBeUndefined();
  });

  test.each([
    ["simulated hardware", aWorkerNode("gpu", { simulated: true })],
    ["a validator", aWorkerNode("gpu", { role: "Validator" })],
    [
      "hardware that is not inspected",
      aWorkerNode("gpu", { status: { observedGeneration: 1, capability: { level: "Declared" } } }),
    ],
  ])("%s never", (_, worker) => {
    const bench = new Bench([worker]);
    bench.desk.next("gpu");
    bench.pass(times.firstMs * 2);
    expect(bench.desk.next("gpu")).toBeUndefined();
  });

  test("nobody where the pool is told so", () => {
    const bench = new Bench([gpuWorker()], { off: true });
    bench.desk.next("gpu");
    bench.pass(times.firstMs * 2);
    expect(bench.desk.next("gpu")).toBeUndefined();
  });

  test("no two seeds are alike", () => {
    const [a, b] = [new Bench([gpuWorker()]).take("gpu"), new Bench([gpuWorker()]).take("gpu")];
    expect(a.plan.seed).toMatch(/^0x[0-9a-f]{64}$/);
    expect(a.plan.seed).not.toBe(b.plan.seed);
  });
});

describe("what comes of an answer", () => {
  test("right and in time: Challenged, with a score, until it expires", async () => {
    const bench = new Bench([gpuWorker()], { policy: { minimumLevel: "Challenged" } });
    const challenge = bench.take("gpu");
    expect(bench.proven("gpu").reason).toBe("NotChallenged");
    expect(bench.answer("gpu", challenge)).toEqual({ status: "Recorded" });
    expect(bench.proven("gpu").reason).toBe("NotChallenged");
    expect(bench.check()).toBeDefined();
    expect(bench.proven("gpu")).toMatchObject({ level: "Challenged", gpusCount: true });
    const record = bench.desk.recordOf(bench.directory.get("gpu")!);
    expect(record).toMatchObject({ outcome: "Passed", provider: "cuda", failures: 0, elapsedMs: 5_000 });
    expect(record?.score).toBeCloseTo(175.9 / 5, 1);
    await vi.waitFor(() => expect(bench.changes).toEqual(["gpu"]));
    bench.pass(times.validMs);
    expect(bench.proven("gpu").reason).toBe("NotChallenged");
  });

  test("one word is enough where it is right, and nobody else is asked", () => {
    const bench = new Bench([gpuWorker()]);
    bench.answer("gpu", bench.take("gpu"));
    bench.check();
    expect(bench.check()).toBeUndefined();
  });

  test("too late: its GPUs do not count", () => {
    const bench = new Bench([gpuWorker()]);
    const challenge = bench.take("gpu");
    bench.answer("gpu", challenge, { afterMs: challenge.limitMs + 5_000 });
    expect(bench.proven("gpu")).toMatchObject({ holds: true, gpusCount: false, reason: "ChallengeFailed" });
    expect(bench.proven("gpu").message).toContain("1x NVIDIA A100-SXM4-80GB");
    expect(bench.check()).toBeUndefined();
  });

  test("none: the same, found when it claims again", () => {
    const bench = new Bench([gpuWorker()]);
    const { limitMs } = bench.take("gpu");
    bench.pass(limitMs + 5_000);
    expect(bench.desk.next("gpu")).toBeUndefined();
    expect(bench.proven("gpu").reason).toBe("ChallengeFailed");
  });

  test("word that it cannot: the same; word that it stops says nothing", () => {
    const bench = new Bench([gpuWorker()]);
    const fail = (reason: string) =>
      bench.desk.answer("gpu", {
        challengeId: bench.take("gpu").challengeId,
        outcome: { kind: "Failed", reason, message: "m" },
      });
    fail("Stopped");
    expect(bench.proven("gpu").reason).toBe("Inspected");
    fail("NoDevice");
    expect(bench.proven("gpu").reason).toBe("ChallengeFailed");
  });

  test("word that it stops, time and again: it cannot", () => {
    const bench = new Bench([gpuWorker()]);
    const outcome = { kind: "Failed", reason: "Stopped", message: "m" } as const;
    for (const want of ["Inspected", "Inspected", "ChallengeFailed"]) {
      bench.desk.answer("gpu", { challengeId: bench.take("gpu").challengeId, outcome });
      expect(bench.proven("gpu").reason).toBe(want);
    }
  });

  test("wrong: only when a second validator has found the same, and then no work at all", () => {
    const bench = new Bench([gpuWorker()]);
    bench.answer("gpu", bench.take("gpu"), { mind: 1 });
    expect(bench.check()).toBeDefined();
    expect(bench.proven("gpu").holds).toBe(true);
    expect(bench.check()).toBeDefined();
    expect(bench.proven("gpu")).toMatchObject({ holds: false, reason: "WrongResult" });
  });

  test("a validator that slanders is alone: the next one finds it right", () => {
    const bench = new Bench([gpuWorker()]);
    bench.answer("gpu", bench.take("gpu"));
    bench.check(9);
    bench.check();
    expect(bench.proven("gpu").level).toBe("Challenged");
  });

  test("an answer of another length is wrong at once", () => {
    const bench = new Bench([gpuWorker()]);
    const { challengeId } = bench.take("gpu");
    bench.desk.answer("gpu", { challengeId, outcome: { kind: "Done", digests: "AAAA", provider: "cuda" } });
    expect(bench.proven("gpu").reason).toBe("WrongResult");
  });

  test("somebody else's answer, or an old one, counts for nothing", () => {
    const bench = new Bench([gpuWorker(), aWorkerNode("other")]);
    const challenge = bench.take("gpu");
    expect(bench.answer("other", challenge)).toEqual({ status: "Late" });
    expect(bench.answer("gpu", { ...challenge, challengeId: "0".repeat(32) })).toEqual({ status: "Late" });
    expect(bench.answer("gpu", challenge)).toEqual({ status: "Recorded" });
    expect(bench.answer("gpu", challenge)).toEqual({ status: "Late" });
  });

  test("a validator that was not asked, or asked twice, changes nothing", () => {
    const bench = new Bench([gpuWorker()]);
    const challenge = bench.take("gpu");
    bench.answer("gpu", challenge);
    const check = { kind: "challenge", challengeId: challenge.challengeId, digests: "AAAA" } as const;
    expect(bench.desk.check("0xB0".padEnd(42, "0"), check)).toEqual({ status: "Late" });
    const first = bench.check(3)!;
    expect(bench.desk.check(first, check)).toEqual({ status: "Duplicate" });
  });

  test("where a validator does not answer the next is asked after a minute", () => {
    const bench = new Bench([gpuWorker()]);
    bench.answer("gpu", bench.take("gpu"));
    const asked = validators.find((validator) => bench.desk.nextDuty(validator));
    expect(validators.filter((validator) => bench.desk.nextDuty(validator))).toEqual([]);
    bench.pass(61_000);
    const next = validators.filter((validator) => bench.desk.nextDuty(validator));
    expect(next).toHaveLength(2);
    expect(next).toContain(asked);
  });

  test("where nobody can check it, it is dropped and comes again", () => {
    const bench = new Bench([gpuWorker()], { panel: 0 });
    bench.answer("gpu", bench.take("gpu"));
    expect(bench.desk.next("gpu")).toBeUndefined();
    bench.pass(601_000);
    expect(bench.desk.next("gpu")).toBeDefined();
    expect(bench.proven("gpu").reason).toBe("Inspected");
  });
});

describe("after an outcome", () => {
  test("it is asked again at some time within the validity, not before", () => {
    const bench = new Bench([gpuWorker()]);
    bench.answer("gpu", bench.take("gpu"));
    bench.check();
    bench.pass(times.validMs * 0.39);
    expect(bench.desk.next("gpu")).toBeUndefined();
    bench.pass(times.validMs * 0.52);
    expect(bench.desk.next("gpu")).toBeDefined();
    expect(bench.proven("gpu").level).toBe("Challenged");
  });

  test("after failures it is asked again later each time, and one that passes makes good", () => {
    const bench = new Bench([gpuWorker()]);
    const fail = (challenge: CapabilityChallenge | undefined) =>
      bench.answer("gpu", challenge!, { afterMs: challenge!.limitMs + 5_000 });
    fail(bench.take("gpu"));
    bench.pass(times.retryMs + 1);
    fail(bench.desk.next("gpu"));
    bench.pass(times.retryMs + 1);
    expect(bench.desk.next("gpu")).toBeUndefined();
    bench.pass(times.retryMs);
    bench.answer("gpu", bench.desk.next("gpu")!);
    bench.check();
    expect(bench.proven("gpu").level).toBe("Challenged");
  });

  test("other hardware is not proven by it", () => {
    const worker = gpuWorker();
    const bench = new Bench([worker]);
    bench.answer("gpu", bench.take("gpu"));
    bench.check();
    const gpus = worker.status!.hardware!.gpus.map((gpu) => ({ ...gpu, memoryMiB: 40_960 }));
    const other = { ...worker, status: { ...worker.status!, hardware: { ...worker.status!.hardware!, gpus } } };
    expect(bench.directory.provenOf(other, bench.nowMs).level).toBe("Inspected");
  });

  test("other hardware does not wipe out a failure, and is asked again soon", () => {
    const workers = [gpuWorker()];
    const bench = new Bench(workers);
    const challenge = bench.take("gpu");
    bench.answer("gpu", challenge, { afterMs: challenge.limitMs + 5_000 });
    const other = { ...workers[0]!, status: { ...aWorkerNode("x").status!, tier: "High" as const } };
    expect(bench.directory.provenOf(other, bench.nowMs).reason).toBe("ChallengeFailed");
    bench.replace(other);
    expect(bench.desk.next("gpu")).toBeUndefined();
    bench.pass(times.firstMs);
    bench.answer("gpu", bench.desk.next("gpu")!);
    bench.check();
    expect(bench.proven("gpu").level).toBe("Challenged");
  });

  test("it survives the process, and not because the WorkerNode's status says so", async () => {
    const bench = new Bench([gpuWorker()]);
    bench.answer("gpu", bench.take("gpu"));
    bench.check();
    await vi.waitFor(() => expect(bench.records.size).toBe(1));
    const next = new Bench([gpuWorker()], { policy: { minimumLevel: "Challenged" } });
    expect(next.proven("gpu").reason).toBe("NotChallenged");
    for (const [name, record] of bench.records) next.records.set(name, record);
    await next.book.load();
    expect(next.proven("gpu").level).toBe("Challenged");
  });
});

test("a machine without a GPU is challenged for its score alone", () => {
  const bench = new Bench([aWorkerNode("cpu", { uuids: [], status: { observedGeneration: 1, tier: "Low" } })]);
  const challenge = bench.take("cpu");
  expect(challenge.plan).toMatchObject({ size: 512, devices: 1 });
  bench.answer("cpu", challenge);
  bench.check();
  expect(bench.proven("cpu")).toMatchObject({ holds: true, level: "Challenged" });
});

test("GPUs that only labels speak of stay unproven by the machine's own challenge", () => {
  const labelled = { observedGeneration: 1, tier: "High" as const };
  const bench = new Bench([aWorkerNode("amd", { uuids: [], status: labelled })], {
    policy: { minimumLevel: "Challenged" },
  });
  bench.answer("amd", bench.take("amd"));
  bench.check();
  expect(bench.proven("amd")).toMatchObject({ gpusCount: false, reason: "NotChallenged" });
});

/** Evidence whose certificate is just a name. */
function evidenceOf(devices: readonly string[] | undefined) {
  const one = (device: string) => ({ kind: "NvidiaGpu" as const, report: "", certificates: [device] });
  return devices === undefined ? {} : { evidence: devices.map(one) };
}

describe("evidence with an answer", () => {
  const verify: Verify = (evidence) => {
    if (evidence.some(({ certificates }) => certificates[0] === "forged")) throw new Error("it does not hold");
    return evidence.map(({ certificates }) => ({ device: certificates[0] ?? "", driverVersion: undefined }));
  };
  const passWith = (bench: Bench, name: string, devices?: readonly string[]) => {
    bench.answer(name, bench.take(name), devices ? { devices } : {});
    bench.check();
    return bench.proven(name);
  };

  test("for each GPU makes it Attested", () => {
    expect(passWith(new Bench([gpuWorker()], { verify }), "gpu", ["a"])).toMatchObject({
      level: "Attested",
      reason: "Attested",
    });
  });

  test.each([
    ["none", undefined, gpuWorker()],
    ["what does not hold", ["forged"], gpuWorker()],
    ["fewer devices than GPUs", ["a"], aWorkerNode("gpu", { uuids: ["GPU-a-0000", "GPU-b-0000"] })],
  ])("%s leaves it Challenged", (_, devices, worker) => {
    expect(passWith(new Bench([worker], { verify }), "gpu", devices).level).toBe("Challenged");
  });

  test("is not heard where nobody is trusted", () => {
    expect(passWith(new Bench([gpuWorker()]), "gpu", ["a"]).level).toBe("Challenged");
  });

  test("of a device that is another worker's leaves it Challenged", () => {
    const bench = new Bench([gpuWorker(), aWorkerNode("other")], { verify });
    expect(passWith(bench, "gpu", ["a"]).level).toBe("Attested");
    expect(passWith(bench, "other", ["a"]).level).toBe("Challenged");
  });
});
