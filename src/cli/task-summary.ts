/** Where a task stands in one word, and why in one sentence. Pure. */
import type { InferenceTask } from "../api/v1alpha1/types.ts";

export function phaseOf(task: InferenceTask) {
  return task.status?.phase ?? "Pending";
}

export function isOver(task: InferenceTask): boolean {
  return ["Succeeded", "Failed", "Rejected"].includes(phaseOf(task));
}

/** The conditions that sum the others up, the last word first. */
const summaries = ["Stalled", "Ready", "Reconciling"] as const;

/** Undefined where no operator has said anything yet. */
export function summaryOf({ status }: InferenceTask): string | undefined {
  const holding = (status?.conditions ?? []).filter((condition) => condition.status === "True");
  return summaries.flatMap((type) => holding.find((condition) => condition.type === type) ?? [])[0]?.message;
}
