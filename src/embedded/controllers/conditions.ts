/** Conditions of a status: read one, set one, drop one. A transition time moves with the status alone. Pure. */
import type { Condition } from "../kubelet/status-types.ts";

export function findCondition<C extends Condition>(conditions: readonly C[] | undefined, type: string): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === "True";
}

/** Same status and reason: nothing changes. */
export function setCondition<C extends Condition>(conditions: readonly C[] | undefined, next: C): readonly C[] {
  const before = findCondition(conditions, next.type);
  if (before?.status === next.status && before.reason === next.reason) return conditions ?? [];
  const since = before?.status === next.status ? before.lastTransitionTime : next.lastTransitionTime;
  const kept = since === undefined ? next : { ...next, lastTransitionTime: since };
  return [...withoutCondition(conditions, next.type), kept];
}

export function withoutCondition<C extends Condition>(
  conditions: readonly C[] | undefined,
  type: string,
): readonly C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}
