/**
 * The life of a task: one function per stage that turns a status into the next one, with all its conditions. Machines
 * read the stage from conditions (`stageOf`); the phase sums it up for people. Called by the operator, which writes what
 * comes out. Pure: time comes in as RFC 3339 text.
 *
 *   Wait -> Run -> Judge -> Settle -> Done        an attempt that ends early goes back to Wait, or to Done
 */
import {
  type ConditionChange,
  isConditionTrue,
  setCondition,
  type TaskCondition,
  taskConditions,
} from "../api/v1alpha1/conditions.ts";
import type { InferenceTaskStatus } from "../api/v1alpha1/generated/inferencetasks.ts";
import type { Attempt, TaskPhase } from "../api/v1alpha1/types.ts";
import { InferiumError } from "../base/errors.ts";
import type { Fault } from "./slashing.ts";

export type Stage = "Wait" | "Run" | "Judge" | "Settle" | "Done";

/** When a change is made and of which spec. */
export interface ChangeContext {
  readonly generation: number;
  readonly now: string;
}

export type Assignment = NonNullable<InferenceTaskStatus["assignment"]>;
export type TaskReceipt = NonNullable<InferenceTaskStatus["receipt"]>;
export type TaskOutput = NonNullable<InferenceTaskStatus["output"]>;
export type TaskVerdict = NonNullable<InferenceTaskStatus["verdict"]>;
export type TaskSettlement = NonNullable<InferenceTaskStatus["settlement"]>;

/** A reason is a PascalCase word, a message a sentence. */
export interface Because {
  readonly reason: string;
  readonly message: string;
}

export const newStatus: InferenceTaskStatus = { observedGeneration: -1, phase: "Pending" };

export function stageOf(status: InferenceTaskStatus): Stage {
  const holds = (type: TaskCondition) => isConditionTrue(status.conditions, type);
  if (holds("Ready") || holds("Stalled")) return "Done";
  if (holds("Validated")) return "Settle";
  if (holds("Committed")) return "Judge";
  return holds("Assigned") ? "Run" : "Wait";
}

const legalPhases: Readonly<Record<TaskPhase, readonly TaskPhase[]>> = {
  Pending: ["Pending", "Queued", "Assigned", "Failed"],
  Queued: ["Pending", "Queued", "Assigned", "Failed", "Rejected"],
  Assigned: ["Queued", "Validating", "Settling", "Failed", "Rejected"],
  Validating: ["Queued", "Settling", "Failed", "Rejected"],
  Settling: ["Validating", "Succeeded", "Rejected"],
  Succeeded: ["Succeeded", "Settling", "Rejected"],
  Failed: ["Failed"],
  // A jury may overturn what was settled, and a reorganisation take back that it was.
  Rejected: ["Rejected", "Settling"],
};

export function isLegalPhase(from: TaskPhase, to: TaskPhase): boolean {
  return legalPhases[from].includes(to);
}

/** Number of the next attempt, from 1. */
export function nextAttempt(status: InferenceTaskStatus): number {
  const ended = (status.attempts ?? []).map((attempt) => attempt.attempt);
  return Math.max(0, status.assignment?.attempt ?? 0, ...ended) + 1;
}

/** Stage 1, where the task may not enter the pool. It is over for good unless the refusal may pass. */
export function refuseTask(
  status: InferenceTaskStatus,
  refusal: Because & { retry: boolean },
  context: ChangeContext,
): InferenceTaskStatus {
  const { retry, reason, message } = refusal;
  const refused = { Accepted: ["False", reason, message], ...summary(retry ? "working" : "failed", reason, message) };
  return build(status, { phase: retry ? "Pending" : "Failed" }, refused, context);
}

/** Stage 2: written only for a task that has waited a while, with why. */
export function explainTask(
  status: InferenceTaskStatus,
  because: Because,
  context: ChangeContext,
): InferenceTaskStatus {
  const { reason, message } = because;
  const conditions = { ...accepted, Queued: ["True", reason, message], ...summary("working", reason, message) };
  return build(status, { phase: "Queued" }, conditions, context);
}

/** Stage 3. */
export function assignTask(
  status: InferenceTaskStatus,
  assignment: Assignment,
  context: ChangeContext,
): InferenceTaskStatus {
  const message = `Attempt ${assignment.attempt} is on ${assignment.worker}.`;
  const conditions = {
    ...accepted,
    Queued: ["False", "Taken", message],
    Assigned: ["True", "Claimed", message],
    ...summary("working", "Running", message),
  };
  return build(status, { phase: "Assigned", assignment }, conditions, context);
}

/** Stages 4 and 5: the worker's signed receipt. */
export function commitTask(
  status: InferenceTaskStatus,
  result: { receipt: TaskReceipt; output: TaskOutput },
  context: ChangeContext,
): InferenceTaskStatus {
  const { attempt, startedAtMs, endedAtMs } = result.receipt.message;
  const conditions = {
    Executed: ["True", "Completed", `Attempt ${attempt} took ${endedAtMs - startedAtMs} ms.`],
    Committed: ["True", "ReceiptSigned", `The worker signed receipt ${result.receipt.digest}.`],
    ...summary("working", "Validating", "Validators check the result."),
  };
  return build(status, { phase: "Validating", ...result }, conditions, context);
}

/** Whether a proof showed the result, where the policy asks for one. */
export interface ProofFinding extends Because {
  readonly holds: boolean;
}

/** Stage 6, where the result counts: proven, accepted by a quorum, or taken unverified where that is allowed. */
export function validateTask(
  status: InferenceTaskStatus,
  verdict: TaskVerdict,
  context: ChangeContext,
  proven?: ProofFinding,
): InferenceTaskStatus {
  const unverified = verdict.result === "Unverified";
  const votes = `${verdict.accept ?? 0} accepted, ${verdict.reject ?? 0} rejected, ${verdict.abstain ?? 0} abstained`;
  const message = unverified ? "Nothing was checked: verification.policy is None." : `The panel decided: ${votes}.`;
  const reason = unverified ? "Unverified" : proven?.holds ? "ProofVerified" : "QuorumAccepted";
  const conditions = {
    ...(proven ? { Proven: [proven.holds ? "True" : "False", proven.reason, proven.message] } : {}),
    Validated: ["True", reason, proven?.holds ? proven.message : message],
    ...summary("working", "Settling", "The result waits for its batch."),
  };
  return build(status, { phase: "Settling", verdict }, conditions, context);
}

/** The panel's Validation was deleted before the task was settled: without its votes nobody would pay. A new panel decides. */
export function reopenTask(status: InferenceTaskStatus, context: ChangeContext): InferenceTaskStatus {
  const message = "The Validation with the votes is gone; a new panel decides.";
  const conditions = { Validated: ["False", "VotesLost", message], ...summary("working", "Validating", message) };
  const rest = dropConditions(without(status, ["verdict"]), ["Proven"]);
  return build(rest, { phase: "Validating" }, conditions, context);
}

/** Stages 7 and 8: the batch is on the chain. */
export function settleTask(
  status: InferenceTaskStatus,
  settlement: TaskSettlement,
  context: ChangeContext,
): InferenceTaskStatus {
  const message = `Batch ${settlement.batch} in transaction ${settlement.txHash ?? "unknown"}.`;
  const paid = settlement.rewardWei !== undefined && settlement.rewardWei !== "0";
  const isOverturned = isConditionTrue(status.conditions, "Overturned");
  const conditions = {
    Settled: ["True", "BatchSettled", message],
    Rewarded: ["True", paid ? "Credited" : "NoReward", paid ? "The reward is credited." : "The task pays nothing."],
    // Settled again after a reorganisation, what a jury has overturned is no less wrong.
    ...(isOverturned ? summary("failed", overturnedReason, message) : summary("ready", "Settled", message)),
  };
  return build(status, { phase: isOverturned ? "Rejected" : "Succeeded", settlement }, conditions, context);
}

/** The batch is not on the chain any more: it was reorganised away, or proven faulty and rolled back. The task waits again. */
export function unsettleTask(
  status: InferenceTaskStatus,
  because: Because,
  context: ChangeContext,
): InferenceTaskStatus {
  const { reason, message } = because;
  const conditions = {
    Settled: ["False", reason, message],
    Rewarded: ["False", reason, message],
    ...summary("working", reason, message),
  };
  return build(without(status, ["settlement"]), { phase: "Settling" }, conditions, context);
}

export interface EndedAttempt extends Because {
  readonly outcome: Attempt["outcome"];
  readonly owner?: string;
  readonly endedAt: string;
}

/** The attempt did not count; the task waits again. What only belongs to the attempt goes with it. */
export function endAttempt(
  status: InferenceTaskStatus,
  ended: EndedAttempt,
  context: ChangeContext,
): InferenceTaskStatus {
  const rest = without(recordAttempt(status, ended), ["assignment", "receipt", "output", "verdict"]);
  const conditions = {
    Queued: ["True", "Again", ended.message],
    Assigned: ["False", ended.reason, ended.message],
    ...summary("working", ended.reason, ended.message),
  };
  return build(dropConditions(rest, attemptConditions), { phase: "Queued" }, conditions, context);
}

/** No further attempt. Rejected: every attempt was, and nothing else went wrong. */
export function failTask(status: InferenceTaskStatus, because: Because, context: ChangeContext): InferenceTaskStatus {
  const attempts = status.attempts ?? [];
  const rejected = attempts.length > 0 && attempts.every((attempt) => attempt.outcome === "Rejected");
  const { reason, message } = because;
  const conditions = summary("failed", reason, message);
  return build(without(status, ["output"]), { phase: rejected ? "Rejected" : "Failed" }, conditions, context);
}

/** As `endAttempt`, and the last: the receipt and the verdict stay to be looked at. */
export function failAttempt(
  status: InferenceTaskStatus,
  ended: EndedAttempt & { readonly verdict?: TaskVerdict },
  context: ChangeContext,
): InferenceTaskStatus {
  const { verdict } = ended;
  const recorded = { ...recordAttempt(status, ended), ...(verdict ? { verdict } : {}) };
  const failed = failTask(recorded, ended, context);
  if (!verdict) return failed;
  return build(failed, {}, { Validated: ["False", ended.reason, ended.message] }, context);
}

/** Whether the attempt that is under way is the last that the task has. */
export function isLastAttempt(status: InferenceTaskStatus, retries: number): boolean {
  return (status.attempts ?? []).length >= retries;
}

/** Stage 8: an earlier attempt was slashed. Does not move the task. */
export function recordPenalty(
  status: InferenceTaskStatus,
  penalty: { attempt: number; txHash: string; fault: Fault },
  context: ChangeContext,
): InferenceTaskStatus {
  const attempts = (status.attempts ?? []).map((attempt) =>
    attempt.attempt === penalty.attempt ? { ...attempt, penaltyTxHash: penalty.txHash } : attempt,
  );
  const message = `The worker of attempt ${penalty.attempt} was slashed in transaction ${penalty.txHash}.`;
  return build(status, { attempts }, { Slashed: ["True", penalty.fault, message] }, context);
}

const overturnedReason = "JuryOverturned";

export interface TaskDispute extends Because {
  readonly isOpen: boolean;
}

/** Somebody doubts the settled result, or did so in vain. Does not move the task. */
export function disputeTask(
  status: InferenceTaskStatus,
  { isOpen, reason, message }: TaskDispute,
  context: ChangeContext,
): InferenceTaskStatus {
  return build(status, {}, { Disputed: [isOpen ? "True" : "False", reason, message] }, context);
}

/** A jury found the settled result wrong. The settlement stands on the chain; whoever vouched for the result has paid for it. */
export function overturnTask(
  status: InferenceTaskStatus,
  { message }: Pick<Because, "message">,
  context: ChangeContext,
): InferenceTaskStatus {
  const reason = overturnedReason;
  const conditions = {
    Disputed: ["False", reason, message],
    Overturned: ["True", reason, message],
    ...summary("failed", reason, message),
  };
  const verdict = status.verdict && { verdict: { ...status.verdict, result: "Overturned" as const } };
  return build(status, { phase: "Rejected", ...verdict }, conditions, context);
}

const attemptConditions: readonly TaskCondition[] = ["Executed", "Committed", "Proven", "Validated"];
const accepted = { Accepted: ["True", "Admitted", "The task may be run here."] } as const;

type ConditionParts = readonly [status: string, reason: string, message: string];
type ConditionSet = Partial<Record<TaskCondition, ConditionParts | readonly string[]>>;

function summary(state: "working" | "ready" | "failed", reason: string, message: string): ConditionSet {
  return {
    Ready: [state === "ready" ? "True" : "False", reason, message],
    Reconciling: [
      state === "working" ? "True" : "False",
      reason,
      state === "working" ? message : "Nothing is left to do.",
    ],
    Stalled: [state === "failed" ? "True" : "False", reason, state === "failed" ? message : "Nothing is in the way."],
  };
}

/** @throws InferiumError IllegalTransition, which is a mistake of the program and not of the task */
function build(
  status: InferenceTaskStatus,
  change: Partial<InferenceTaskStatus>,
  conditions: ConditionSet,
  context: ChangeContext,
): InferenceTaskStatus {
  const phase = change.phase ?? status.phase;
  if (phase !== status.phase && !isLegalPhase(status.phase, phase)) {
    throw new InferiumError("IllegalTransition", `A task in phase ${status.phase} cannot become ${phase}.`);
  }
  const merged = { ...status, ...change, observedGeneration: context.generation };
  return { ...merged, conditions: mergeConditions(merged.conditions, conditions, context) };
}

function mergeConditions(
  known: InferenceTaskStatus["conditions"],
  changes: ConditionSet,
  context: ChangeContext,
): NonNullable<InferenceTaskStatus["conditions"]> {
  let conditions = known ?? [];
  for (const type of taskConditions) {
    const [status, reason = "", message = ""] = changes[type] ?? [];
    if (status !== "True" && status !== "False") continue;
    const change: ConditionChange = { type, status, reason, message, observedGeneration: context.generation };
    conditions = setCondition(conditions, change, context.now);
  }
  const order: readonly string[] = taskConditions;
  return [...conditions].sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
}

function recordAttempt(status: InferenceTaskStatus, ended: EndedAttempt): InferenceTaskStatus {
  const { assignment } = status;
  if (!assignment) return status;
  const { outcome, reason, endedAt, owner } = ended;
  const { attempt, worker } = assignment;
  const message = ended.message.slice(0, 2_048);
  const record: Attempt = { attempt, worker, outcome, reason, message, endedAt, ...(owner ? { owner } : {}) };
  return { ...status, attempts: [...(status.attempts ?? []), record].slice(-16) };
}

function without(status: InferenceTaskStatus, fields: readonly (keyof InferenceTaskStatus)[]): InferenceTaskStatus {
  const kept = Object.entries(status).filter(([field]) => !fields.some((dropped) => dropped === field));
  return Object.fromEntries(kept) as unknown as InferenceTaskStatus;
}

function dropConditions(status: InferenceTaskStatus, types: readonly TaskCondition[]): InferenceTaskStatus {
  const kept = (status.conditions ?? []).filter((condition) => !types.some((type) => type === condition.type));
  return { ...status, conditions: kept };
}
