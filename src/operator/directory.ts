/**
 * The members of the pool as the rules see them: a WorkerNode together with its node's labels, its bond, its record, what
 * it runs now and whether it is there. Gathers only; decides nothing.
 */

import { labels } from "../api/v1alpha1/labels.ts";
import type { Clock } from "../base/clock.ts";
import type { Informer } from "../kube/informer.ts";
import { countUsable } from "../protocol/challenge/decide-challenge.ts";
import { checksumAddress } from "../protocol/checksum-address.ts";
import { describeHardware, type WorkerFacts } from "../protocol/matching.ts";
import {
  type ChallengeFinding,
  type ClaimedCapability,
  decideProven,
  type GpuTwin,
  type ProofPolicy,
  type ProvenCapability,
} from "../protocol/proven-capability.ts";
import type { Candidate } from "../protocol/selection.ts";
import type { NodeState } from "../protocol/slashing.ts";
import { applyTierOverride, type Tier } from "../protocol/tier.ts";
import { compareComputeCapability } from "../protocol/tier-compute-capability.ts";
import type { BanBook } from "./ban-book.ts";
import type { BondBook } from "./bond-book.ts";
import type { WorkerObject } from "./kinds.ts";
import type { Presence } from "./presence.ts";

/** What is kept of a Kubernetes node. */
export interface NodeLabels {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: NodeState;
}

export interface DirectoryOptions {
  readonly workers: Informer<WorkerObject>;
  readonly nodes: Informer<NodeLabels>;
  readonly bonds: BondBook;
  readonly bans: BanBook;
  readonly presence: Presence;
  readonly clock: Clock;
  /** Tasks that the worker of this name runs, those being handed to it included. */
  readonly countActive: (name: string) => number;
  /** Expected success between 0 and 1. */
  readonly scoreOf: (name: string) => number;
  /** What came of the last challenge of its hardware as it is now. */
  readonly challengeOf: (worker: WorkerObject) => ChallengeFinding | undefined;
  readonly proofPolicy: ProofPolicy;
  /** A slash of the worker is on the books and not on the chain yet: what its bond is worth is not known. */
  readonly isSlashDue: (name: string) => boolean;
}

/** Name of the index over WorkerNodes by lower-case address. */
export const byAddress = "address";
/** Name of the index over WorkerNodes by the UUIDs of their GPUs. */
export const byGpu = "gpu";

export function uuidsOf({ status }: WorkerObject): string[] {
  return (status?.hardware?.gpus ?? []).map(({ uuid }) => uuid);
}

export class Directory {
  readonly #options: DirectoryOptions;
  readonly #ownFacts = new WeakMap<WorkerObject, OwnFacts>();
  readonly #labels = new Map<string, { readonly ofNode: object; readonly all: Readonly<Record<string, string>> }>();

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  get(name: string): WorkerObject | undefined {
    return this.#options.workers.store.get(name);
  }

  list(): WorkerObject[] {
    return this.#options.workers.store.list();
  }

  findByAddress(address: string): WorkerObject | undefined {
    return this.#options.workers.store.byIndex(byAddress, address.toLowerCase())[0];
  }

  factsOf(worker: WorkerObject): WorkerFacts {
    const { clock, presence, nodes, countActive } = this.#options;
    const { spec } = worker;
    const { name } = worker.metadata;
    const proven = this.provenOf(worker, clock.now());
    const { computeCapability, ...own } = this.#ownFactsOf(worker);
    return {
      ...own,
      ...(proven.gpusCount ? (computeCapability === undefined ? {} : { computeCapability }) : withoutGpus(own)),
      disqualified: this.isDisqualified(worker),
      bonded: this.isBonded(worker, "Worker") && !this.#options.isSlashDue(name),
      proven: proven.holds,
      nodeLabels: this.#labelsOf(
        name,
        (spec.nodeName ? nodes.store.get(spec.nodeName)?.labels : undefined) ?? noLabels,
      ),
      freeSlots: Math.max(0, spec.slots - countActive(name)),
      connected: presence.isConnected(name),
      models: presence.of(name).models,
    };
  }

  /** With the worker's own name, for tasks that ask for it; the same object as long as the node's labels are. */
  #labelsOf(name: string, ofNode: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const known = this.#labels.get(name);
    if (known?.ofNode === ofNode) return known.all;
    const all = { ...ofNode, [labels.worker]: name };
    this.#labels.set(name, { ofNode, all });
    return all;
  }

  /** How far its hardware is proven, and whether that is enough to be given work. */
  provenOf(worker: WorkerObject, nowMs: number): ProvenCapability {
    const { challengeOf, proofPolicy: policy } = this.#options;
    const claimed = readClaimed(worker);
    return decideProven({ claimed, twin: this.#twinOf(worker), challenge: challengeOf(worker), policy, nowMs });
  }

  /** Validators compute on whatever they have: only what is offered to tasks must not be offered twice. */
  #twinOf(worker: WorkerObject): GpuTwin | undefined {
    if (worker.spec.role === "Validator") return undefined;
    for (const uuid of uuidsOf(worker)) {
      const others = this.#options.workers.store.byIndex(byGpu, uuid);
      if (others.length < 2) continue;
      const twin = others.find((other) => other.spec.role !== "Validator" && isEarlier(other, worker));
      if (twin) return { uuid, worker: twin.metadata.name };
    }
    return undefined;
  }

  /** Undefined where the worker names no node that is known here. */
  nodeOf({ spec }: WorkerObject): NodeState | undefined {
    return spec.nodeName ? this.#options.nodes.store.get(spec.nodeName)?.state : undefined;
  }

  /** What follows from the object alone: asked for with each claim, and objects are replaced when they change. */
  #ownFactsOf(worker: WorkerObject): OwnFacts {
    const known = this.#ownFacts.get(worker) ?? readOwnFacts(worker);
    this.#ownFacts.set(worker, known);
    return known;
  }

  workers(): WorkerFacts[] {
    return this.list()
      .filter((worker) => worker.spec.role !== "Validator")
      .map((worker) => this.factsOf(worker));
  }

  /** Validators that may be drawn now: bonded, in the chain's current set, there, and not cordoned. */
  candidates(): Candidate[] {
    const members = new Set(this.#options.bonds.validatorSet?.members ?? []);
    return this.list()
      .filter((worker) => worker.spec.role !== "Worker" && !worker.spec.cordoned)
      .filter((worker) => this.isBonded(worker, "Validator") && members.has(addressOf(worker)))
      .filter((worker) => this.#options.presence.isConnected(worker.metadata.name))
      .map((worker) => this.#candidateOf(worker));
  }

  #candidateOf(worker: WorkerObject): Candidate {
    const { name } = worker.metadata;
    const { owner, nodeName } = worker.spec;
    return {
      name,
      address: addressOf(worker),
      ...(owner ? { owner } : {}),
      ...(nodeName ? { nodeName } : {}),
      stakeWei: this.#options.bonds.of(worker.spec.address)?.record.stakeWei ?? 0n,
      reputation: this.#options.scoreOf(name),
    };
  }

  /** As the chain says, or where it was not asked yet, as it said when it was mirrored. */
  isBonded(worker: WorkerObject, role: "Worker" | "Validator"): boolean {
    const bond = this.#options.bonds.of(worker.spec.address)?.record;
    if (bond) return bond.state === "Active" && bond.role === role;
    return worker.status?.bond?.state === "Active";
  }

  /** Banned by the chain, or with a GPU of one that is. */
  isDisqualified(worker: WorkerObject): boolean {
    if (this.#options.bans.isBanned(worker)) return true;
    const bond = this.#options.bonds.of(worker.spec.address)?.record;
    return (bond?.state ?? worker.status?.bond?.state) === "Disqualified";
  }
}

const noLabels = {};

type OwnFacts = Omit<
  WorkerFacts,
  "disqualified" | "bonded" | "proven" | "nodeLabels" | "freeSlots" | "connected" | "models"
>;

function readOwnFacts(worker: WorkerObject): OwnFacts {
  const { spec } = worker;
  const gpus = healthyGpus(worker);
  const tier = provenTier(worker);
  const computeCapability = lowestCapability(gpus.map((gpu) => gpu.computeCapability));
  const hardware = {
    ...(spec.mode === "Pod" ? { mode: spec.mode } : {}),
    ...(tier ? { tier } : {}),
    gpus: countUsable(gpus),
    // Of several kinds the weakest counts, as for the tier and for what a challenge asks.
    memoryMiB: gpus.length === 0 ? 0 : Math.min(...gpus.map((gpu) => gpu.unitMemoryMiB ?? gpu.memoryMiB)),
    ...(computeCapability ? { computeCapability } : {}),
    migProfiles: gpus.flatMap((gpu) => gpu.migProfiles ?? []),
  };
  return {
    name: worker.metadata.name,
    address: addressOf(worker),
    ...(spec.owner ? { owner: spec.owner } : {}),
    isWorker: spec.role !== "Validator",
    cordoned: spec.cordoned,
    ...hardware,
    hardware: describeHardware(hardware),
  };
}

export function addressOf(worker: WorkerObject): string {
  return checksumAddress(worker.spec.address);
}

/** Of a machine whose GPUs do not count. */
const lowHardware = { tier: "Low", gpus: 0, memoryMiB: 0, migProfiles: [] } as const;
const withoutGpus = ({ mode }: OwnFacts) => ({
  ...lowHardware,
  hardware: describeHardware({ ...lowHardware, ...(mode ? { mode } : {}) }),
});

/** The tier that a worker is matched by. */
export function tierOf(worker: WorkerObject, { gpusCount }: ProvenCapability): Tier | undefined {
  return gpusCount ? provenTier(worker) : "Low";
}

export function healthyGpus({
  status,
}: WorkerObject): NonNullable<NonNullable<WorkerObject["status"]>["hardware"]>["gpus"] {
  return (status?.hardware?.gpus ?? []).filter((gpu) => gpu.healthy !== false);
}

function readClaimed(worker: WorkerObject): ClaimedCapability | undefined {
  const { capability, hardware, tier } = worker.status ?? {};
  if (!capability) return undefined;
  const { level, expiresAt } = capability;
  return {
    level,
    problems: hardware?.problems ?? [],
    simulated: hardware?.simulated ?? false,
    // GPUs of other vendors stand in no list, and make a tier all the same.
    hasGpus: healthyGpus(worker).length > 0 || (tier !== undefined && tier !== "Low"),
    ...(expiresAt === undefined ? {} : { expiresAtMs: Date.parse(expiresAt) }),
  };
}

/** Whoever was there first keeps a GPU that two name: else a newcomer could take a worker out by naming its GPU. */
function isEarlier(a: WorkerObject, b: WorkerObject): boolean {
  const [first = "", second = ""] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  return first === second ? a.metadata.name < b.metadata.name : first < second;
}

function provenTier(worker: WorkerObject): Tier | undefined {
  const { tier } = worker.status ?? {};
  return tier && applyTierOverride(tier, worker.spec.tierOverride);
}

const capabilityPattern = /^\d{1,3}\.\d{1,2}$/;

/** Undefined where one is not known: it is below every other. */
function lowestCapability(values: readonly (string | undefined)[]): string | undefined {
  const known = values.filter((value) => value !== undefined).filter((value) => capabilityPattern.test(value));
  return known.length < values.length ? undefined : known.sort(compareComputeCapability)[0];
}
