/**
 * A shard has one copy or, where it was slow, two: the first one made and its duplicate, each a task. What becomes of a copy
 * that waits or runs, by where the other one and the batch are. Pure; whoever looks again comes to the same.
 */
import { isConditionTrue } from "../../api/v1alpha1/conditions.ts";
import type { InferenceTaskStatus } from "../../api/v1alpha1/generated/inferencetasks.ts";
import type { Hold } from "../status-change.ts";
import { stageOf } from "../task-stage.ts";

/** Where a copy is: Won once a panel has accepted its result, Lost once it is over without one. */
export type CopyState = "Waiting" | "Running" | "Judged" | "Won" | "Lost";

export function copyStateOf(status: InferenceTaskStatus): CopyState {
  const stage = stageOf(status);
  if (stage === "Wait") return "Waiting";
  if (stage === "Run") return "Running";
  if (stage === "Judge") return "Judged";
  return stage === "Settle" || isConditionTrue(status.conditions, "Ready") ? "Won" : "Lost";
}

export interface CopyFacts {
  readonly isDuplicate: boolean;
  /** The other copy; left out where there is none. */
  readonly other?: CopyState;
  readonly batch: "Open" | "Suspended" | "Gone" | "Succeeded" | "Failed";
}

/** Why a copy that waits may not go; undefined where it may. What is final is over, without a result of its own. */
export function findCopyHold({ isDuplicate, other, batch }: CopyFacts): Hold | undefined {
  if (batch === "Failed") return over("BatchEnded", "The batch that the shard is of has ended.");
  if (other === "Won" || batch === "Succeeded")
    return over("Superseded", "The shard's other copy has a validated result.");
  if (batch === "Gone") return hold("BatchGone", "The batch that the shard is of is being deleted.");
  if (batch === "Suspended") return hold("BatchSuspended", "spec.suspend of its batch is true; set it to false.");
  // With nobody at work on the shard one copy is enough, and the first one may go to any worker.
  if (isDuplicate && (other === "Waiting" || other === "Lost"))
    return over("Superseded", "The shard's first copy does not run any more, so that there is nothing to overtake.");
  if (isDuplicate || other === undefined || other === "Lost") return undefined;
  return hold("CopyAtWork", "The shard's other copy is at work, and goes on where this one has ended.");
}

const over = (reason: string, message: string): Hold => ({ reason, message, isFinal: true });
const hold = (reason: string, message: string): Hold => ({ reason, message, isFinal: false });

/** Whether a copy that runs is called back. One whose receipt is there already is judged like any other. */
export function isCalledBack({ other }: Pick<CopyFacts, "other">): boolean {
  return other === "Won";
}
