/**
 * The pool's side, with the project's own code: each machine's document and labels through the agent's rules into a
 * WorkerNode, the operator's directory, desk and matching over all of them. Time is simulated; arithmetic is replaced by a
 * digest of seed and column, which whoever computes a column is given (the arithmetic itself has tests of its own).
 */
import { createHash } from "node:crypto";
import { buildStatus } from "../../../src/agent/build-status.ts";
import { decideCapability, type Observation } from "../../../src/agent/decide-capability.ts";
import { readNodeFacts } from "../../../src/agent/node-facts.ts";
import { NvidiaSmiFailure } from "../../../src/agent/nvidia-smi/failure.ts";
import { parseNvidiaSmi } from "../../../src/agent/nvidia-smi/parse.ts";
import { silentLogger } from "../../../src/base/log.ts";
import type { Informer } from "../../../src/kube/informer.ts";
import { ObjectStore } from "../../../src/kube/store.ts";
import { BanBook } from "../../../src/operator/ban-book.ts";
import { CapabilityBook } from "../../../src/operator/capability-book.ts";
import { ChallengeDesk } from "../../../src/operator/challenge-desk.ts";
import { byAddress, byGpu, Directory, type DirectoryOptions, uuidsOf } from "../../../src/operator/directory.ts";
import type { WorkerObject } from "../../../src/operator/kinds.ts";
import type { RecordStore } from "../../../src/operator/record-store.ts";
import type { ChallengeDuty } from "../../../src/pool/duty.ts";
import { digestBytes } from "../../../src/protocol/challenge/decide-challenge.ts";
import type { ChallengePlan } from "../../../src/protocol/challenge/plan.ts";
import type { ProofPolicy } from "../../../src/protocol/proven-capability.ts";
import { defaultTierThresholds } from "../../../src/protocol/tier.ts";
import { computeElapsedMs, type Machine, type Random } from "./machine.ts";

const startMs = Date.parse("2026-06-01T00:00:00Z");
const times = { firstMs: 60_000, validMs: 86_400_000, retryMs: 600_000 };
const agentPolicy = { thresholds: defaultTierThresholds, minimumLevel: "Inspected" } as const;

/** Validators: all but the first find what is right; that one slanders whoever it is asked about. */
const validators = Array.from({ length: 5 }, (_, index) => ({
  ...{ name: `validator-${index}`, address: `0xAA${String(index).padStart(38, "0")}`, stakeWei: 1n, reputation: 0.9 },
}));
const slanderer = validators[0]?.address;

export interface WorldCounts {
  challenges: number;
  checks: number;
  slanders: number;
}

export class World {
  readonly directory: Directory;
  readonly counts: WorldCounts = { challenges: 0, checks: 0, slanders: 0 };
  readonly #desk: ChallengeDesk;
  readonly #machines: readonly Machine[];
  readonly #random: Random;
  #nowMs = startMs;

  constructor(machines: readonly Machine[], policy: ProofPolicy, random: Random) {
    this.#machines = machines;
    this.#random = random;
    const clock = { now: () => this.#nowMs, monotonic: () => this.#nowMs };
    const workers = new ObjectStore({
      transform: (worker: WorkerObject) => worker,
      indexers: { [byAddress]: ({ spec }: WorkerObject) => [spec.address.toLowerCase()], [byGpu]: uuidsOf },
    });
    for (const [index, machine] of machines.entries()) workers.put(buildWorker(machine, index));
    const bans = new BanBook({ save: async () => undefined, list: async () => [] } as unknown as RecordStore);
    for (const { name } of machines.filter(({ banned }) => banned)) void bans.ban(workers.get(name)!);
    const options: Partial<Record<keyof DirectoryOptions, unknown>> = {
      ...{ workers: { store: workers } as unknown as Informer<WorkerObject>, bans, clock, proofPolicy: policy },
      nodes: { store: new Map() },
      bonds: { of: () => undefined },
      presence: { isConnected: () => true, of: () => ({ models: new Set(), lastSeenMs: 0 }) },
      countActive: () => 0,
      scoreOf: () => 0.5,
      isSlashDue: () => false,
      challengeOf: (worker: WorkerObject) => this.#desk.recordOf(worker),
    };
    this.directory = new Directory(options as unknown as DirectoryOptions);
    const book = new CapabilityBook({ save: async () => undefined, list: async () => [] } as unknown as RecordStore);
    this.#desk = new ChallengeDesk({
      ...{ book, times, logger: silentLogger, clock: clock as never },
      directory: {
        get: (name) => this.directory.get(name),
        candidates: () => validators,
        provenOf: (worker, nowMs) => this.directory.provenOf(worker, nowMs),
      },
      onChange: () => undefined,
      onDuty: () => undefined,
    });
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  factsOf(name: string) {
    return this.directory.factsOf(this.directory.get(name)!);
  }

  /** Condition CapabilityProven's reason; a ban goes before it. */
  reasonOf(name: string): string {
    const worker = this.directory.get(name)!;
    if (this.directory.isDisqualified(worker)) return "Banned";
    return this.directory.provenOf(worker, this.#nowMs).reason;
  }

  scoreOf(name: string): number {
    return this.#desk.recordOf(this.directory.get(name)!)?.score ?? 0;
  }

  /** Every machine claims in vain once; what is asked of it and of validators is done. */
  step(ms: number): void {
    this.#nowMs += ms;
    for (const machine of this.#machines) {
      const challenge = this.#desk.next(machine.name);
      if (!challenge) continue;
      this.counts.challenges++;
      this.#answer(machine, challenge.challengeId, challenge.plan);
      this.#check();
    }
  }

  #answer({ name, truth, behaviour }: Machine, challengeId: string, plan: ChallengePlan): void {
    if (behaviour.kind === "silent") return;
    if (behaviour.kind === "decline") {
      const outcome = { kind: "Failed", reason: behaviour.reason, message: "It cannot." } as const;
      this.#desk.answer(name, { challengeId, outcome });
      return;
    }
    const seed = behaviour.kind === "replay" ? `0x${"00".repeat(32)}` : plan.seed;
    const share = behaviour.kind === "part" ? behaviour.share : 1;
    this.#nowMs += behaviour.kind === "compute" ? computeElapsedMs(truth, plan, this.#random) : 5_000;
    const digests = Buffer.alloc(plan.columns * digestBytes);
    const digestOf = openDigests(seed);
    for (let column = 0; column < plan.columns * share; column++)
      digests.writeUInt32LE(digestOf(column), column * digestBytes);
    const outcome = { kind: "Done", digests: digests.toString("base64"), provider: "cuda" } as const;
    this.#desk.answer(name, { challengeId, outcome });
  }

  #check(): void {
    for (let asked = true; asked; ) {
      asked = false;
      for (const { address } of validators) {
        const duty = this.#desk.nextDuty(address);
        if (!duty) continue;
        asked = true;
        this.#tell(address, duty);
      }
    }
  }

  #tell(address: string, { challengeId, plan, columns }: ChallengeDuty): void {
    this.counts.checks++;
    if (address === slanderer) this.counts.slanders++;
    const seed = address === slanderer ? "slander" : plan.seed;
    const digestOf = openDigests(seed);
    const digests = Buffer.alloc(columns.length * digestBytes);
    for (const [at, column] of columns.entries()) digests.writeUInt32LE(digestOf(column), at * digestBytes);
    this.#desk.check(address, { kind: "challenge", challengeId, digests: digests.toString("base64") });
  }
}

/** In place of computing it: four bytes for each column that nobody knows without the seed. */
function openDigests(seed: string): (column: number) => number {
  const key = createHash("sha256").update(seed).digest().readUInt32LE(0);
  return (column) => {
    const mixed = Math.imul(key ^ Math.imul(column + 1, 0x9e3779b1), 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

function buildWorker(machine: Machine, index: number): WorkerObject {
  const { name, labels, capacity, createdAt, tierOverride, writesLevel } = machine;
  const node = { apiVersion: "v1", kind: "Node", metadata: { name, labels }, status: { capacity } } as const;
  const facts = readNodeFacts(node as Parameters<typeof readNodeFacts>[0]);
  const observation = observe(machine);
  const capability = decideCapability(observation, facts, agentPolicy);
  const now = new Date(startMs).toISOString();
  const spec = {
    ...({ role: "Worker", nodeName: name, remote: false, slots: 1, cordoned: false, mode: "Pooled" } as const),
    address: `0x${(index + 1).toString(16).padStart(40, "0")}`,
    ...(tierOverride ? { tierOverride } : {}),
  };
  const status = buildStatus({ observation, capability, facts, simulated: false, now }, spec);
  return {
    apiVersion: "inferium.io/v1alpha1",
    kind: "WorkerNode",
    metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: createdAt },
    spec,
    status: {
      observedGeneration: 1,
      ...status,
      ...(writesLevel ? { capability: { level: writesLevel } } : {}),
      bond: { state: "Active", stakeWei: "1" },
    },
  };
}

function observe({ document }: Machine): Observation {
  if (document === undefined) return { kind: "NoGpu", message: "there is no nvidia-smi" };
  try {
    return { kind: "Read", reading: parseNvidiaSmi(document) };
  } catch (error) {
    if (error instanceof NvidiaSmiFailure) return { kind: "Unreadable", message: `${error.kind}: ${error.message}` };
    throw error;
  }
}
