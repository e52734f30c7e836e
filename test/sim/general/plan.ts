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
  "worker-death",
  "validator-death",
  "member-partition",
  "pool-cut",
  "api-partition",
  "api-cut",
  "rpc-partition",
  "reorg",
  "outside-use",
  "clock-jump",
] as const;
/** Of machines, beside the others: `--machines 1`. */
export const machineStrikes = ["disk-full", "out-of-memory", "node-lost", "eviction"] as const;
export type StrikeKind = (typeof strikes)[number] | (typeof machineStrikes)[number];

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
}

export const counts = { workers: 4, validators: 5 } as const;
const strikesMs = 4_000;

/** @param withMachines machines fail too, beside all else */
export function planRun(seed: number, taskCount: number, withMachines = false): Plan {
  const random = createRandom(seed).fork("plan");
  return {
    tasks: Array.from({ length: taskCount }, (_, index) => planTask(random, seed, index)),
    // Of its own, so that a run with fewer tasks has the same faults.
    strikes: planStrikes(createRandom(seed).fork("strikes"), withMachines),
    liar: random.next() < 0.5 ? random.between(0, counts.workers - 1) : undefined,
    manner: random.pick<ValidatorManner>(["honest", "honest", "lazy", "contrary", "absent"]),
  };
}

function planTask(random: SeededRandom, seed: number, index: number): PlannedTask {
  // Each kind once among the first, then mostly what is usual.
  const kind = taskKinds[index] ?? random.pick<TaskKind>(["plain", "plain", "plain", "plain", "slow"]);
  const createAfterMs = random.between(0, 2_500);
  return { name: `s${seed}-${index}-${kind}`, kind, createAfterMs, x: random.between(1, 1_000) };
}

function planStrikes(random: SeededRandom, withMachines: boolean): Strike[] {
  const kinds: readonly [StrikeKind, ...StrikeKind[]] = withMachines ? [...strikes, ...machineStrikes] : strikes;
  const count = random.between(5, 9);
  const planned = Array.from({ length: count }, () => ({
    kind: random.pick(kinds),
    afterMs: random.between(300, strikesMs),
    lastsMs: random.between(100, 1_500),
    choice: random.between(0, 1_000),
  }));
  return planned.sort((a, b) => a.afterMs - b.afterMs);
}
