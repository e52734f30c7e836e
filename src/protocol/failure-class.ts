/**
 * Whose fault an attempt's end was, how often a task may be tried again for it, and how long it waits before. The task's own
 * failures, those of the place where it ran, and results that a panel did not accept have budgets of their own, so that a
 * bad node does not use up what a flaky model needs. Pure.
 */
import type { Attempt } from "../api/v1alpha1/types.ts";

/** Preemption: nobody's fault; it costs nothing and excludes nobody. */
export type FailureClass = "Application" | "Infrastructure" | "Validation" | "Preemption";

type EndedRecord = Pick<Attempt, "outcome" | "reason">;

/** Reasons that speak of the node, its disk, its connection or its owner. A time-out or too little memory speak of the task. */
const infrastructureReasons: ReadonlySet<string> = new Set([
  "WorkerGone",
  "NotDelivered",
  "WorkerBanned",
  "ModelUnavailable",
  "ProviderUnavailable",
  "Stopped",
  "AlreadySigned",
  "NoLauncher",
  "PodPreempted",
  "PodEvicted",
  "NodeLost",
  "PodGone",
  "PodRejected",
  "ImageUnavailable",
  "Unschedulable",
  "Internal",
]);

export function classifyAttempt({ outcome, reason }: EndedRecord): FailureClass {
  if (outcome === "Preempted") return "Preemption";
  if (outcome === "Rejected" || outcome === "Inconclusive") return "Validation";
  return infrastructureReasons.has(reason ?? "") ? "Infrastructure" : "Application";
}

/** Further attempts after failures of infrastructure, whatever `spec.retries` says of the others. */
export const infrastructureRetries = 10;

/** Whether an attempt that ends like this is the task's last. @param retries further attempts after failures of its own, and as many after rejections */
export function isLastAttempt(earlier: readonly EndedRecord[], ended: EndedRecord, retries: number): boolean {
  const kind = classifyAttempt(ended);
  if (kind === "Preemption") return false;
  return countOf(earlier, kind) >= (kind === "Infrastructure" ? infrastructureRetries : retries);
}

interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** A result that was rejected says little about the next worker; a task that failed by itself will mostly do so again. */
const backoffs: Readonly<Record<FailureClass, Backoff>> = {
  Application: { baseMs: 1_000, maxMs: 300_000 },
  Infrastructure: { baseMs: 500, maxMs: 60_000 },
  Validation: { baseMs: 200, maxMs: 30_000 },
  Preemption: { baseMs: 0, maxMs: 0 },
};

/** How long a task waits after its last attempt until it is offered again: twice as long after each failure of one class. */
export function computeRequeueDelay(attempts: readonly EndedRecord[]): number {
  const last = attempts.at(-1);
  if (!last) return 0;
  const kind = classifyAttempt(last);
  const { baseMs, maxMs } = backoffs[kind];
  return Math.min(maxMs, baseMs * 2 ** (countOf(attempts, kind) - 1));
}

function countOf(attempts: readonly EndedRecord[], kind: FailureClass): number {
  return attempts.filter((attempt) => classifyAttempt(attempt) === kind).length;
}
