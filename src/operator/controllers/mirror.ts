/**
 * Stage 9, on the WorkerNode: what the chain and the pool know of each member. Applied as the operator's own part of the
 * status, on change only and at most once in two seconds for each; what changes with every task (counts, earnings, scores) is
 * moreover written no faster than a bound for all together. Hardware, capability and tier are the agent's.
 */
import { isDeepStrictEqual } from "node:util";
import { type Condition, setCondition } from "../../api/v1alpha1/conditions.ts";
import type { WorkerNodeStatus } from "../../api/v1alpha1/generated/workernodes.ts";
import type { Clock } from "../../base/clock.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Reconcile } from "../../kube/controller.ts";
import type { BondBook } from "../bond-book.ts";
import type { CapabilityRecord } from "../capability-book.ts";
import { addressOf, type Directory, tierOf } from "../directory.ts";
import { formatTime, type WorkerObject } from "../kinds.ts";
import type { DecideDelay } from "../lanes.ts";
import type { Presence } from "../presence.ts";
import type { ReputationBook } from "../reputation-book.ts";
import { WritePace } from "../write-pace.ts";

export interface MirrorOptions {
  readonly client: KubeClient<WorkerObject>;
  readonly directory: Directory;
  readonly bonds: BondBook;
  readonly presence: Presence;
  /** Of its last challenge. */
  readonly recordOf: (worker: WorkerObject) => CapabilityRecord | undefined;
  readonly reputations: ReputationBook;
  readonly clock: Clock;
  readonly countActive: (name: string) => number;
  readonly earningsOf: (worker: WorkerObject) => NonNullable<WorkerNodeStatus["earnings"]>;
}

const writeEveryMs = 2_000;
/** Of numbers alone. Conditions are written at once. */
const pace = { ratePerSecond: 10, burst: 40 };
/** Time alone changes things too: silence, and capability that expires. */
const lookAgainMs = 15_000;
const operatorConditions = ["Ready", "Bonded", "CapabilityProven", "Disqualified", "Elected"] as const;
type OperatorCondition = (typeof operatorConditions)[number];

type MirroredStatus = Partial<WorkerNodeStatus>;

export interface Mirror {
  readonly reconcile: Reconcile;
  /** Every call of a worker and every change of its tasks is news of it; between two looks one of them is enough. */
  readonly decideDelay: DecideDelay;
}

interface Look {
  readonly status: MirroredStatus;
  readonly lookedAtMs: number;
  /** There is news since, and the next look is planned. */
  isPlanned?: boolean;
}

export function createMirror(options: MirrorOptions): Mirror {
  const applied = new Map<string, Look>();
  const turns = new WritePace(pace);
  const decideDelay: DecideDelay = (name) => {
    const last = applied.get(name);
    const waitMs = last ? writeEveryMs - (options.clock.monotonic() - last.lookedAtMs) : 0;
    if (last === undefined || waitMs <= 0) return 0;
    if (last.isPlanned) return undefined;
    last.isPlanned = true;
    return waitMs;
  };
  const reconcile: Reconcile = async (name) => {
    const worker = options.directory.get(name);
    if (!worker) {
      applied.delete(name);
      turns.forget(name);
      return undefined;
    }
    const last = applied.get(name);
    const nowMs = options.clock.monotonic();
    if (last && nowMs - last.lookedAtMs < writeEveryMs)
      return { requeueAfterMs: writeEveryMs - (nowMs - last.lookedAtMs) };
    const status = buildStatus(options, worker);
    const before = last?.status ?? pickOwn(worker.status);
    if (isDeepStrictEqual(status, before)) return { requeueAfterMs: lookAgainMs };
    const waitMs = isDeepStrictEqual(status.conditions, before.conditions) ? turns.take(name, nowMs) : 0;
    if (waitMs > 0) {
      applied.set(name, { status: before, lookedAtMs: nowMs });
      return { requeueAfterMs: Math.max(waitMs, writeEveryMs) };
    }
    await options.client.applyStatus({ metadata: { name }, status });
    applied.set(name, { status, lookedAtMs: nowMs });
    return { requeueAfterMs: lookAgainMs };
  };
  return { reconcile, decideDelay };
}

/** The part of the status that is the operator's, as it is on the server. */
function pickOwn(status: WorkerNodeStatus | undefined): MirroredStatus {
  const { observedGeneration, bond, proven, reputation, earnings, active, models, lastHeartbeat, conditions } =
    status ?? {};
  const own = (conditions ?? []).filter(({ type }) => operatorConditions.some((known) => known === type));
  const parts = {
    observedGeneration,
    conditions: own,
    bond,
    proven,
    reputation,
    earnings,
    active,
    models,
    lastHeartbeat,
  };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

function buildStatus(options: MirrorOptions, worker: WorkerObject): MirroredStatus {
  const { name, generation } = worker.metadata;
  const { presence, countActive, earningsOf } = options;
  const { lastSeenMs, models } = presence.of(name);
  const bond = options.bonds.of(worker.spec.address)?.record;
  const known = worker.status;
  const lastHeartbeat = lastSeenMs === undefined ? known?.lastHeartbeat : formatMinute(lastSeenMs);
  return {
    observedGeneration: generation ?? 1,
    conditions: buildConditions(options, worker),
    ...(bond
      ? { bond: { stakeWei: bond.stakeWei.toString(), state: bond.state } }
      : known?.bond
        ? { bond: known.bond }
        : {}),
    ...buildProven(options, worker),
    reputation: buildReputation(options, name),
    earnings: earningsOf(worker),
    active: countActive(name),
    models: lastSeenMs === undefined ? (known?.models ?? []) : [...models].sort(),
    ...(lastHeartbeat ? { lastHeartbeat } : {}),
  };
}

function buildReputation({ reputations }: MirrorOptions, name: string): NonNullable<WorkerNodeStatus["reputation"]> {
  const { completed, failed, rejected, updatedAtMs } = reputations.of(name);
  return {
    score: reputations.scoreOf(name).toFixed(4),
    completed,
    failed,
    rejected,
    ...(updatedAtMs > 0 ? { lastUpdated: formatTime(updatedAtMs) } : {}),
  };
}

/** What it is matched by. Absent before its agent has read anything. */
function buildProven(
  { directory, recordOf, clock }: MirrorOptions,
  worker: WorkerObject,
): Pick<MirroredStatus, "proven"> {
  if (worker.status?.capability === undefined) return {};
  const proven = directory.provenOf(worker, clock.now());
  const record = recordOf(worker);
  const tier = proven.holds ? tierOf(worker, proven) : undefined;
  return {
    proven: {
      level: proven.level,
      ...(tier === undefined ? {} : { tier }),
      ...(record === undefined ? {} : buildChallenge(record)),
    },
  };
}

function buildChallenge(record: CapabilityRecord): Partial<NonNullable<WorkerNodeStatus["proven"]>> {
  const { outcome, score, atMs, expiresAtMs, claim, elapsedMs, limitMs, provider, validators, message } = record;
  const memoryMiB = record.heldMiB;
  const times = { provenAt: formatTime(atMs), expiresAt: formatTime(expiresAtMs) };
  return {
    ...(outcome === "Passed" ? { score, ...times } : {}),
    challenge: {
      ...{
        outcome,
        claim: claim.slice(0, 256),
        at: formatTime(atMs),
        elapsedMs,
        limitMs,
        memoryMiB,
        provider,
        message,
      },
      validators: validators.slice(0, 8),
    },
  };
}

type Finding = readonly [holds: boolean, reason: string, message: string];

function buildConditions(options: MirrorOptions, worker: WorkerObject): Condition[] {
  const { clock } = options;
  const now = formatTime(clock.now());
  const observedGeneration = worker.metadata.generation ?? 1;
  const findings = judge(options, worker);
  let conditions = pickOwn(worker.status).conditions ?? [];
  for (const type of operatorConditions) {
    const finding = findings[type];
    if (finding === undefined) continue;
    const [holds, reason, message] = finding;
    const status = holds ? "True" : "False";
    conditions = setCondition(conditions, { type, status, reason, message, observedGeneration }, now);
  }
  return conditions;
}

function judge(options: MirrorOptions, worker: WorkerObject): Partial<Record<OperatorCondition, Finding>> {
  const { directory, clock } = options;
  const role = worker.spec.role === "Validator" ? "Validator" : "Worker";
  const state = options.bonds.of(worker.spec.address)?.record.state ?? worker.status?.bond?.state ?? "None";
  const bonded = directory.isBonded(worker, role);
  const proven = directory.provenOf(worker, clock.now());
  const disqualified = directory.isDisqualified(worker);
  const elected = role === "Validator" ? judgeElected(options, worker) : undefined;
  return {
    ...(elected && { Elected: elected }),
    Bonded: [bonded, bonded ? "Active" : state, `The registry has its bond as ${role} in state ${state}.`],
    CapabilityProven: [proven.holds, proven.reason, proven.message],
    Disqualified: [
      disqualified,
      disqualified ? "Banned" : "InGoodStanding",
      disqualified ? "The registry banned it for ever." : "The registry has nothing against it.",
    ],
    Ready: judgeReady(options, worker, {
      ...{ bonded, disqualified, elected: elected?.[0] ?? true },
      proven: proven.holds || role === "Validator",
    }),
  };
}

/** Undefined before the chain was asked. */
function judgeElected({ bonds }: MirrorOptions, worker: WorkerObject): Finding | undefined {
  if (bonds.validatorSet === undefined) return undefined;
  const { epoch, members } = bonds.validatorSet;
  if (members.includes(addressOf(worker))) return [true, "Member", `It sits in the validator set of epoch ${epoch}.`];
  return [false, "NotInSet", `The validator set of epoch ${epoch} does not hold it: it was removed, or never elected.`];
}

function judgeReady(
  { presence }: MirrorOptions,
  worker: WorkerObject,
  facts: Readonly<Record<"bonded" | "proven" | "disqualified" | "elected", boolean>>,
): Finding {
  const { name } = worker.metadata;
  if (facts.disqualified) return [false, "Disqualified", "It is banned and takes no work."];
  if (!facts.bonded) return [false, "NotBonded", "Bond it to let it take work."];
  if (!facts.elected) return [false, "NotElected", "The chain's validator set does not hold it; it gets no duties."];
  if (!facts.proven) return [false, "NotProven", "Its hardware is not proven; see CapabilityProven."];
  if (worker.spec.cordoned) return [false, "Cordoned", "It is cordoned and takes no further work."];
  if (presence.isConnected(name)) return [true, "Connected", "It takes work."];
  const known = worker.status?.conditions?.find(({ type }) => type === "Ready");
  // Just after a start nobody has had the time to call: what was said before stands.
  if (!presence.isGone(name) && known) return [known.status === "True", known.reason, known.message];
  return [false, "Offline", "It has not been heard of for too long."];
}

/** Coarse on purpose: one write a minute for a sign of life. */
function formatMinute(epochMs: number): string {
  return formatTime(Math.floor(epochMs / 60_000) * 60_000);
}
