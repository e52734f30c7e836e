/**
 * How an attempt ends that did not count: the task waits again, or fails with its last one. Used by whoever finds out: the
 * clock, the worker itself, the panel. The record of an ended attempt is a draft and goes out with the next assignment,
 * except where nothing else says durably that it ended.
 */

import type { Attempt } from "../api/v1alpha1/types.ts";
import type { Clock } from "../base/clock.ts";
import { endAttempt, failAttempt } from "../protocol/attempts.ts";
import { isLastAttempt } from "../protocol/failure-class.ts";
import type { TaskVerdict } from "../protocol/lifecycle.ts";
import { stageOf } from "../protocol/task-stage.ts";
import type { Directory } from "./directory.ts";
import type { TaskEntry, TaskLedger } from "./ledger.ts";
import type { ReputationBook } from "./reputation-book.ts";
import type { TaskNews, TellTask } from "./task-events.ts";

export interface AttemptEnd {
  readonly attempt: number;
  readonly outcome: Attempt["outcome"];
  readonly reason: string;
  readonly message: string;
  /** Another attempt would end the same way. */
  readonly isFinal?: boolean;
  /** Nothing else durable says so: write it now. */
  readonly durable?: boolean;
  readonly verdict?: TaskVerdict;
}

export interface AttemptEndOptions {
  readonly ledger: TaskLedger;
  readonly directory: Directory;
  readonly reputations: ReputationBook;
  readonly clock: Clock;
  readonly tell: TellTask;
}

/** Nothing is told or counted where the attempt has ended otherwise meanwhile. */
export type EndAttempt = (entry: TaskEntry, end: AttemptEnd) => Promise<void>;

export function createAttemptEnd(options: AttemptEndOptions): EndAttempt {
  return async (entry, end) => {
    const { assignment } = entry.status;
    if (assignment?.attempt !== end.attempt) return;
    const owner = options.directory.get(assignment.worker)?.spec.owner;
    const endedAt = new Date(options.clock.now()).toISOString();
    const { status, task } = entry;
    const isLast = end.isFinal === true || isLastAttempt(status.attempts ?? [], end, task.spec.retries);
    const ended = { ...end, endedAt, ...(owner ? { owner } : {}) };
    let isEnded = false;
    await options.ledger.change(entry.key, {
      uid: entry.uid,
      stage: isLast ? "failed" : "ended",
      durable: isLast || end.durable === true,
      decide: (status, context) => {
        const stage = stageOf(status);
        if (status.assignment?.attempt !== end.attempt || (stage !== "Run" && stage !== "Judge")) return undefined;
        isEnded = true;
        return isLast ? failAttempt(status, ended, context) : endAttempt(status, ended, context);
      },
    });
    if (!isEnded) return;
    if (end.outcome !== "Inconclusive" && end.outcome !== "Preempted") {
      const id = `${entry.uid}/${end.attempt}`;
      options.reputations.record({ worker: assignment.worker, id, outcome: end.outcome, atMs: options.clock.now() });
    }
    options.tell(entry.task, newsOf(end.outcome), `Attempt ${end.attempt} on ${assignment.worker}: ${end.message}`);
  };
}

function newsOf(outcome: AttemptEnd["outcome"]): TaskNews {
  return outcome === "Inconclusive" ? "Failed" : outcome;
}
