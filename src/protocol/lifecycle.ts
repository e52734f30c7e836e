/**
 * The life of a task: one function per stage that turns a status into the next one, with all its conditions. Called by the
 * operator, which writes what comes out. Pure: time comes in as RFC 3339 text.
 */
import { isConditionTrue } from "../api/v1alpha1/conditions.ts";
import type { InferenceTaskStatus } from "../api/v1alpha1/generated/inferencetasks.ts";
import { type Because, buildStatus, type ChangeContext, dropConditions, summary, without } from "./status-change.ts";

export type Assignment = NonNullable<InferenceTaskStatus["assignment"]>;
export type TaskReceipt = NonNullable<InferenceTaskStatus["receipt"]>;
export type TaskOutput = NonNullable<InferenceTaskStatus["output"]>;
export type TaskVerdict = NonNullable<InferenceTaskStatus["verdict"]>;
export type TaskSettlement = NonNullable<InferenceTaskStatus["settlement"]>;

/** Stage 1, where the task may not enter the pool. It is over for good unless the refusal may pass. */
export function refuseTask(
  status: InferenceTaskStatus,
  refusal: Because & { retry: boolean },
  context: ChangeContext,
): InferenceTaskStatus {
  const { retry, reason, message } = refusal;
  const refused = { Accepted: ["False", reason, message], ...summary(retry ? "working" : "failed", reason, message) };
  return buildStatus(status, { phase: retry ? "Pending" : "Failed" }, refused, context);
}

/** Stage 2: written only for a task that has waited a while, with why. */
export function explainTask(
  status: InferenceTaskStatus,
  because: Because,
  context: ChangeContext,
): InferenceTaskStatus {
  const { reason, message } = because;
  const conditions = { ...accepted, Queued: ["True", reason, message], ...summary("working", reason, message) };
  return buildStatus(status, { phase: "Queued" }, conditions, context);
}

/** Stage 2, where the task waits for something else than a worker: for its turn of a workflow, or for its input. */
export function holdTask(status: InferenceTaskStatus, because: Because, context: ChangeContext): InferenceTaskStatus {
  const { reason, message } = because;
  const conditions = { ...accepted, Queued: ["False", reason, message], ...summary("working", reason, message) };
  return buildStatus(status, {}, conditions, context);
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
  return buildStatus(status, { phase: "Assigned", assignment }, conditions, context);
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
  return buildStatus(status, { phase: "Validating", ...result }, conditions, context);
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
  return buildStatus(status, { phase: "Settling", verdict }, conditions, context);
}

/** The panel's Validation was deleted before the task was settled: without its votes nobody would pay. A new panel decides. */
export function reopenTask(status: InferenceTaskStatus, context: ChangeContext): InferenceTaskStatus {
  const message = "The Validation with the votes is gone; a new panel decides.";
  const conditions = { Validated: ["False", "VotesLost", message], ...summary("working", "Validating", message) };
  const rest = dropConditions(without(status, ["verdict"]), ["Proven"]);
  return buildStatus(rest, { phase: "Validating" }, conditions, context);
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
  return buildStatus(status, { phase: isOverturned ? "Rejected" : "Succeeded", settlement }, conditions, context);
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
  return buildStatus(without(status, ["settlement"]), { phase: "Settling" }, conditions, context);
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
  return buildStatus(status, {}, { Disputed: [isOpen ? "True" : "False", reason, message] }, context);
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
  return buildStatus(status, { phase: "Rejected", ...verdict }, conditions, context);
}

const accepted = { Accepted: ["True", "Admitted", "The task may be run here."] } as const;
