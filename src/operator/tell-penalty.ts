/** Writes into the task that the worker of one of its attempts was slashed. May be done again without harm. */
import { recordPenalty } from "../protocol/attempts.ts";
import type { Fault } from "../protocol/slashing.ts";
import { stageOf } from "../protocol/task-stage.ts";
import type { TaskLedger } from "./ledger.ts";
import type { TellTask } from "./task-events.ts";

export interface TellPenaltyOptions {
  readonly ledger: TaskLedger;
  readonly tell: TellTask;
}

export interface ExecutedPenalty {
  /** namespace/name of the task. */
  readonly key: string;
  readonly uid: string;
  readonly attempt: number;
  readonly txHash: string;
  readonly fault: Fault;
}

/** True once the task holds it durably, or is gone: then the books need it no more. */
export async function tellPenalty(options: TellPenaltyOptions, penalty: ExecutedPenalty): Promise<boolean> {
  const { attempt, txHash, fault, uid } = penalty;
  const entry = options.ledger.get(penalty.key);
  if (entry?.uid !== uid) return true;
  let isNews = false;
  const after = await options.ledger.change(entry.key, {
    uid,
    stage: "penalty",
    durable: stageOf(entry.status) === "Done",
    decide: (status, context) => {
      const record = status.attempts?.find((ended) => ended.attempt === attempt);
      isNews = record !== undefined && record.penaltyTxHash === undefined;
      return isNews ? recordPenalty(status, { attempt, txHash, fault }, context) : undefined;
    },
  });
  if (isNews) options.tell(entry.task, "Slashed", `The worker of attempt ${attempt} was slashed in ${txHash}.`);
  return after.task.status?.attempts?.find((ended) => ended.attempt === attempt)?.penaltyTxHash !== undefined;
}
