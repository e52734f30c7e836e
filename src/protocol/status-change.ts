/**
 * How a status becomes the next one: phase and conditions change together, legally, and keep their order. For the functions
 * in `lifecycle.ts` and `attempts.ts`, and for nobody else. Pure: time comes in as RFC 3339 text.
 */
import { type ConditionChange, setCondition, type TaskCondition, taskConditions } from "../api/v1alpha1/conditions.ts";
import type { InferenceTaskStatus } from "../api/v1alpha1/generated/inferencetasks.ts";
import { InferiumError } from "../base/errors.ts";
import { isLegalPhase } from "./task-stage.ts";

/** When a change is made and of which spec. */
export interface ChangeContext {
  readonly generation: number;
  readonly now: string;
}

/** A reason is a PascalCase word, a message a sentence. */
export interface Because {
  readonly reason: string;
  readonly message: string;
}

/** Why a task that waits is kept out of the pool. */
export interface Hold extends Because {
  /** Nothing will let it into the pool any more. */
  readonly isFinal: boolean;
}

type ConditionParts = readonly [status: string, reason: string, message: string];
export type ConditionSet = Partial<Record<TaskCondition, ConditionParts | readonly string[]>>;

export function summary(state: "working" | "ready" | "failed", reason: string, message: string): ConditionSet {
  return {
    Ready: [state === "ready" ? "True" : "False", reason, message],
    Reconciling: [
      state === "working" ? "True" : "False",
      reason,
      state === "working" ? message : "Nothing is left to do.",
    ],
    Stalled: [state === "failed" ? "True" : "False", reason, state === "failed" ? message : "Nothing is in the way."],
  };
}

/** @throws InferiumError IllegalTransition, which is a mistake of the program and not of the task */
export function buildStatus(
  status: InferenceTaskStatus,
  change: Partial<InferenceTaskStatus>,
  conditions: ConditionSet,
  context: ChangeContext,
): InferenceTaskStatus {
  const phase = change.phase ?? status.phase;
  if (phase !== status.phase && !isLegalPhase(status.phase, phase)) {
    throw new InferiumError("IllegalTransition", `A task in phase ${status.phase} cannot become ${phase}.`);
  }
  const merged = { ...status, ...change, observedGeneration: context.generation };
  return { ...merged, conditions: mergeConditions(merged.conditions, conditions, context) };
}

function mergeConditions(
  known: InferenceTaskStatus["conditions"],
  changes: ConditionSet,
  context: ChangeContext,
): NonNullable<InferenceTaskStatus["conditions"]> {
  let conditions = known ?? [];
  for (const type of taskConditions) {
    const [status, reason = "", message = ""] = changes[type] ?? [];
    if (status !== "True" && status !== "False") continue;
    const change: ConditionChange = { type, status, reason, message, observedGeneration: context.generation };
    conditions = setCondition(conditions, change, context.now);
  }
  const order: readonly string[] = taskConditions;
  return [...conditions].sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
}

export function without(
  status: InferenceTaskStatus,
  fields: readonly (keyof InferenceTaskStatus)[],
): InferenceTaskStatus {
  const kept = Object.entries(status).filter(([field]) => !fields.some((dropped) => dropped === field));
  return Object.fromEntries(kept) as unknown as InferenceTaskStatus;
}

export function dropConditions(status: InferenceTaskStatus, types: readonly TaskCondition[]): InferenceTaskStatus {
  const kept = (status.conditions ?? []).filter((condition) => !types.some((type) => type === condition.type));
  return { ...status, conditions: kept };
}
