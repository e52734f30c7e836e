/** Conditions as Kubernetes clients read them: one per type, the time of the last change of status kept. Pure. */
export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  observedGeneration?: number;
  lastTransitionTime: string;
  reason: string;
  message: string;
}

export type ConditionChange = Omit<Condition, "lastTransitionTime">;

/** The conditions of an InferenceTask in the order of the flow; Ready, Reconciling and Stalled sum them up. */
export const taskConditions = [
  "Accepted",
  "Queued",
  "Assigned",
  "Executed",
  "Committed",
  "Proven",
  "Validated",
  "Settled",
  "Rewarded",
  "Slashed",
  "Disputed",
  "Overturned",
  "Ready",
  "Reconciling",
  "Stalled",
] as const;
export type TaskCondition = (typeof taskConditions)[number];

/** `conditions` with `change` merged in; the same array where nothing differs. `now` is an RFC 3339 time. */
export function setCondition(conditions: readonly Condition[], change: ConditionChange, now: string): Condition[] {
  const old = conditions.find((condition) => condition.type === change.type);
  const lastTransitionTime = old?.status === change.status ? old.lastTransitionTime : now;
  const next: Condition = { ...change, lastTransitionTime };
  return old ? conditions.map((condition) => (condition === old ? next : condition)) : [...conditions, next];
}

export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
}
