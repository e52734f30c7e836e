/**
 * Attempts that did not count: how one ends, when it was the last, and what is kept of it. Called by the operator, which
 * writes what comes out. Pure: time comes in as RFC 3339 text.
 */
import type { TaskCondition } from "../api/v1alpha1/conditions.ts";
import type { InferenceTaskStatus } from "../api/v1alpha1/generated/inferencetasks.ts";
import type { Attempt } from "../api/v1alpha1/types.ts";
import type { TaskVerdict } from "./lifecycle.ts";
import type { Fault } from "./slashing.ts";
import { type Because, buildStatus, type ChangeContext, dropConditions, summary, without } from "./status-change.ts";

/** Number of the next attempt, from 1. */
export function nextAttempt(status: InferenceTaskStatus): number {
  const ended = (status.attempts ?? []).map((attempt) => attempt.attempt);
  return Math.max(0, status.assignment?.attempt ?? 0, ...ended) + 1;
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
  return buildStatus(dropConditions(rest, attemptConditions), { phase: "Queued" }, conditions, context);
}

/** No further attempt. Rejected: every attempt was, and nothing else went wrong. */
export function failTask(status: InferenceTaskStatus, because: Because, context: ChangeContext): InferenceTaskStatus {
  const attempts = (status.attempts ?? []).filter(({ outcome }) => outcome !== "Preempted");
  const rejected = attempts.length > 0 && attempts.every((attempt) => attempt.outcome === "Rejected");
  const { reason, message } = because;
  const conditions = summary("failed", reason, message);
  return buildStatus(without(status, ["output"]), { phase: rejected ? "Rejected" : "Failed" }, conditions, context);
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
  return buildStatus(failed, {}, { Validated: ["False", ended.reason, ended.message] }, context);
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
  return buildStatus(status, { attempts }, { Slashed: ["True", penalty.fault, message] }, context);
}

const attemptConditions: readonly TaskCondition[] = ["Executed", "Committed", "Proven", "Validated"];

function recordAttempt(status: InferenceTaskStatus, ended: EndedAttempt): InferenceTaskStatus {
  const { assignment } = status;
  if (!assignment) return status;
  const { outcome, reason, endedAt, owner } = ended;
  const { attempt, worker } = assignment;
  const message = ended.message.slice(0, 2_048);
  const record: Attempt = { attempt, worker, outcome, reason, message, endedAt, ...(owner ? { owner } : {}) };
  return { ...status, attempts: keepAttempts([...(status.attempts ?? []), record]) };
}

/** As many as the definition of the kind allows. */
const maxAttempts = 32;

/** Those that count against no budget go first: there may be any number of them. */
function keepAttempts(attempts: Attempt[]): Attempt[] {
  if (attempts.length <= maxAttempts) return attempts;
  const preempted = attempts.findIndex(({ outcome }) => outcome === "Preempted");
  return attempts.toSpliced(Math.max(0, preempted), 1);
}
