/**
 * Where a task is in its life. Machines read the stage from conditions; the phase sums it up for people. Pure.
 *
 *   Wait -> Run -> Judge -> Settle -> Done        an attempt that ends early goes back to Wait, or to Done
 */
import { isConditionTrue, type TaskCondition } from "../api/v1alpha1/conditions.ts";
import type { InferenceTaskStatus } from "../api/v1alpha1/generated/inferencetasks.ts";
import type { TaskPhase } from "../api/v1alpha1/types.ts";

export type Stage = "Wait" | "Run" | "Judge" | "Settle" | "Done";

export const newStatus: InferenceTaskStatus = { observedGeneration: -1, phase: "Pending" };

export function stageOf(status: InferenceTaskStatus): Stage {
  const holds = (type: TaskCondition) => isConditionTrue(status.conditions, type);
  if (holds("Ready") || holds("Stalled")) return "Done";
  if (holds("Validated")) return "Settle";
  if (holds("Committed")) return "Judge";
  return holds("Assigned") ? "Run" : "Wait";
}

const legalPhases: Readonly<Record<TaskPhase, readonly TaskPhase[]>> = {
  Pending: ["Pending", "Queued", "Assigned", "Failed", "Rejected"],
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
