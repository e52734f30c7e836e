/**
 * Time: claims whose deadline passed or whose worker is gone return to the pool, and tasks that did not make their own
 * deadline fail. Called by the clock, for tasks that are not settled.
 */
import type { Clock } from "../../base/clock.ts";
import type { Reconcile, ReconcileResult } from "../../kube/controller.ts";
import { failAttempt, failTask } from "../../protocol/attempts.ts";
import { stageOf } from "../../protocol/task-stage.ts";
import type { AttemptEnd, EndAttempt } from "../attempt-end.ts";
import type { ClaimAges } from "../claim-ages.ts";
import type { TaskEntry, TaskLedger } from "../ledger.ts";
import type { Presence } from "../presence.ts";
import { deadlineOf } from "./assign.ts";

export interface ExpireOptions {
  readonly ledger: TaskLedger;
  readonly claimAges: ClaimAges;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly endAttempt: EndAttempt;
  /** A claim's deadline passed with its worker connected. */
  readonly onMissed: (entry: TaskEntry) => void;
}

/** How often a running task's worker is looked for. */
const lookAgainMs = 5_000;

export function createExpire(options: ExpireOptions): Reconcile {
  return async (key) => {
    const entry = options.ledger.get(key);
    if (!entry || stageOf(entry.status) !== "Run") options.claimAges.forget(key);
    if (!entry) return undefined;
    const stage = stageOf(entry.status);
    if (stage === "Settle" || stage === "Done") return undefined;
    const leftMs = deadlineOf(entry) - options.clock.now();
    if (leftMs <= 0) return failOverdue(options, entry);
    // The shards of a batch have claims of their own.
    if (stage !== "Run" || !entry.status.assignment)
      return Number.isFinite(leftMs) ? { requeueAfterMs: Math.min(leftMs, maxDelayMs) } : undefined;
    return expireClaim(options, entry);
  };
}

/** A timer holds no more than 31 bits. */
const maxDelayMs = 2 ** 31 - 1;

async function expireClaim(
  { claimAges, presence, endAttempt, onMissed }: ExpireOptions,
  entry: TaskEntry,
): Promise<ReconcileResult | undefined> {
  const { assignment } = entry.status;
  const age = claimAges.of(entry);
  if (!assignment || !age) return undefined;
  const { leftMs } = age;
  const { attempt, worker } = assignment;
  const expire = (reason: string, message: string): AttemptEnd => ({ attempt, outcome: "Expired", reason, message });
  if (leftMs <= 0) {
    onMissed(entry);
    await endAttempt(entry, expire("ClaimExpired", `No receipt came by ${assignment.deadline}.`));
    return undefined;
  }
  if (presence.isGone(worker)) {
    await endAttempt(entry, expire("WorkerGone", `The worker ${worker} has not been heard of for too long.`));
    return undefined;
  }
  return { requeueAfterMs: Math.min(leftMs, lookAgainMs) };
}

async function failOverdue({ ledger, clock }: ExpireOptions, entry: TaskEntry): Promise<undefined> {
  const { deadlineSeconds } = entry.task.spec;
  const reason = "DeadlineExceeded";
  const message = `The task was not validated within its ${deadlineSeconds} s.`;
  const endedAt = new Date(clock.now()).toISOString();
  await ledger.change(entry.key, {
    uid: entry.uid,
    stage: "failed",
    durable: true,
    decide: (status, context) => {
      const stage = stageOf(status);
      if (stage === "Settle" || stage === "Done") return undefined;
      if (!status.assignment) return failTask(status, { reason, message }, context);
      return failAttempt(status, { outcome: "Expired", reason, message, endedAt }, context);
    },
  });
  return undefined;
}
