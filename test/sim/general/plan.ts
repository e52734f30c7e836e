/**
 * What a seed decides: the tasks, who does not play fair, and which fault strikes when. Pure, so that a seed can be had
 * again; what the machine's timing makes of it may differ.
 */
import { createRandom, type SeededRandom } from "../../chaos/random.ts";

/** What is special about a task; `expected` of each is in `expectations`. */
export const taskKinds = [
  "plain",
  "slow",
  "suspended",
  "deleted",
  "too-slow",
  "bad-input",
  "wrong-digest",
  "over-order",
] as const;
/** Kinds that no seed chooses: an incident's own. */
export type TaskKind = (typeof taskKinds)[number] | "leased" | "unjudged" | "unplaceable";

export interface PlannedTask {
  readonly name: string;
  readonly kind: TaskKind;
  readonly createAfterMs: number;
  /** Input of y = x + x. */
  readonly x: number;
}

export const strikes = [
  "operator-death",
  "operator-step-death",
  "worker-death",
  "worker-step-death",
  "validator-death",
  "validator-step-death",
  "member-partition",
  "pool-cut",
  "api-partition",
  "api-cut",
  "api-restart",
  "rpc-partition",
  "reorg",
  "outside-use",
  "operator-clock-jump",
  "worker-clock-jump",
  "validator-clock-jump",
  "disk-full",
  "worker-out-of-memory",
  "validator-out-of-memory",
  "node-lost",
  "eviction",
  "preemption",
] as const;
export type StrikeKind = (typeof strikes)[number];

export interface Strike {
  readonly kind: StrikeKind;
  readonly afterMs: number;
  readonly lastsMs: number;
  /** Which member, by place; for others, a number to choose by. */
  readonly choice: number;
}

/** Nobody: no validator is there at all. */
export type ValidatorManner = "honest" | "lazy" | "contrary" | "absent" | "abstaining" | "nobody";

export interface Plan {
  readonly tasks: readonly PlannedTask[];
  readonly strikes: readonly Strike[];
  /** Place of the worker that answers wrongly, now and then; none in some seeds. */
  readonly liar: number | undefined;
  /** Of the validator at place 0; all others are honest: below the quorum. */
  readonly manner: ValidatorManner;
  /** How far each member's clock is from the operator's, in milliseconds, by name; 0 for who is not named. */
  readonly skewsMs: Readonly<Record<string, number>>;
}

export const counts = { workers: 4, validators: 5 } as const;
const strikesMs = 4_000;
const hourMs = 3_600_000;
/** A validator signs no batch that seems to come from further ahead than five minutes: these are honest, and must be a quorum. */
const mostBehindMs = 240_000;

export function planRun(seed: number, taskCount: number): Plan {
  const random = createRandom(seed).fork("plan");
  return {
    tasks: Array.from({ length: taskCount }, (_, index) => planTask(random, seed, index)),
    // Of its own, so that a run with fewer tasks has the same faults.
    strikes: planStrikes(createRandom(seed).fork("strikes")),
    liar: random.next() < 0.5 ? random.between(0, counts.workers - 1) : undefined,
    manner: random.pick<ValidatorManner>(["honest", "honest", "lazy", "contrary", "absent"]),
    skewsMs: planSkews(createRandom(seed).fork("skews")),
  };
}

function planTask(random: SeededRandom, seed: number, index: number): PlannedTask {
  // Each kind once among the first, then mostly what is usual.
  const kind = taskKinds[index] ?? random.pick<TaskKind>(["plain", "plain", "plain", "plain", "slow"]);
  const createAfterMs = random.between(0, 2_500);
  return { name: `s${seed}-${index}-${kind}`, kind, createAfterMs, x: random.between(1, 1_000) };
}

function planSkews(random: SeededRandom): Record<string, number> {
  const skew = (lowest: number) => (random.next() < 0.5 ? 0 : random.between(lowest, hourMs));
  const some = (prefix: string, count: number, lowest: number) =>
    Array.from({ length: count }, (_, index) => [`${prefix}${index + 1}`, skew(lowest)] as const);
  return Object.fromEntries([...some("w", counts.workers, -hourMs), ...some("v", counts.validators, -mostBehindMs)]);
}

function planStrikes(random: SeededRandom): Strike[] {
  const count = random.between(6, 10);
  const planned = Array.from({ length: count }, () => ({
    kind: random.pick(strikes),
    afterMs: random.between(300, strikesMs),
    lastsMs: random.between(100, 1_500),
    choice: random.between(0, 1_000),
  }));
  return planned.sort((a, b) => a.afterMs - b.afterMs);
}
