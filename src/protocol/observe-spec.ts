/** What the operator answers to a change of spec that leads to nothing else. Pure. */
import type { InferenceTaskStatus } from "../api/v1alpha1/generated/inferencetasks.ts";
import type { ChangeContext } from "./status-change.ts";

/**
 * A change of spec that asks for nothing (its mutable fields on a finished task) must still be seen to have been seen:
 * whoever waits for observedGeneration would wait for ever. Undefined where there is nothing to say.
 */
export function observeSpec(status: InferenceTaskStatus, context: ChangeContext): InferenceTaskStatus | undefined {
  const isWritten = status.observedGeneration >= 0;
  if (!isWritten || status.observedGeneration === context.generation) return undefined;
  const conditions = (status.conditions ?? []).map((condition) =>
    ["Ready", "Reconciling", "Stalled"].includes(condition.type)
      ? { ...condition, observedGeneration: context.generation }
      : condition,
  );
  return { ...status, observedGeneration: context.generation, conditions };
}
