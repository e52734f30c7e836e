/** How many pods of a disruption budget may go now. Pure. */
import type { Pod } from "../../kubelet/core-types.ts";
import { setCondition } from "../conditions.ts";
import { resolveCount } from "../int-or-percent.ts";
import { isReady, isTerminating } from "../pod-state.ts";
import { formatTime, parseTime } from "../times.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from "../workload-types.ts";

/** An eviction that was granted and not carried out counts for so long. */
const evictionTimeoutMs = 120_000;

export interface BudgetView {
  readonly budget: PodDisruptionBudget;
  /** That the budget selects. */
  readonly pods: readonly Pod[];
  /** Pods that their controllers want; an error's message where that cannot be said. */
  readonly wanted: number | { readonly unknown: string };
  readonly nowMs: number;
}

export function computeBudgetStatus(view: BudgetView): PodDisruptionBudgetStatus {
  const { budget, pods, nowMs } = view;
  const disruptedPods = findDisrupted(view);
  const observedGeneration = budget.metadata.generation ?? 0;
  const goal = computeGoal(view);
  if (typeof goal === "string") return failSafe(view, goal);
  const isHealthy = (pod: Pod) => !isTerminating(pod) && isReady(pod) && disruptedPods[pod.metadata.name] === undefined;
  const currentHealthy = pods.filter(isHealthy).length;
  const allowed = goal.expected > 0 ? Math.max(0, currentHealthy - goal.desired) : 0;
  const condition = {
    type: "DisruptionAllowed",
    status: allowed > 0 ? "True" : "False",
    reason: allowed > 0 ? "SufficientPods" : "InsufficientPods",
    message: "",
    observedGeneration,
    lastTransitionTime: formatTime(nowMs),
  };
  return {
    conditions: setCondition(budget.status?.conditions, condition),
    currentHealthy,
    desiredHealthy: goal.desired,
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    disruptionsAllowed: allowed,
    expectedPods: goal.expected,
    observedGeneration,
  };
}

function computeGoal({ budget, pods, wanted }: BudgetView): { expected: number; desired: number } | string {
  const { minAvailable, maxUnavailable } = budget.spec ?? {};
  if (typeof minAvailable === "number") return { expected: pods.length, desired: minAvailable };
  if (minAvailable === undefined && maxUnavailable === undefined) return { expected: pods.length, desired: 0 };
  if (typeof wanted !== "number") return wanted.unknown;
  if (maxUnavailable !== undefined) {
    return { expected: wanted, desired: Math.max(0, wanted - resolveCount(maxUnavailable, wanted, "up")) };
  }
  return { expected: wanted, desired: resolveCount(minAvailable, wanted, "up") };
}

/** Where it is not known what is wanted nothing may go. */
function failSafe({ budget, nowMs }: BudgetView, message: string): PodDisruptionBudgetStatus {
  const condition = {
    type: "DisruptionAllowed",
    status: "False",
    reason: "SyncFailed",
    message,
    observedGeneration: budget.metadata.generation ?? 0,
    lastTransitionTime: formatTime(nowMs),
  };
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0, observedGeneration = 0 } = budget.status ?? {};
  const conditions = setCondition(budget.status?.conditions, condition);
  return { conditions, currentHealthy, desiredHealthy, disruptionsAllowed: 0, expectedPods, observedGeneration };
}

function findDisrupted({ budget, pods, nowMs }: BudgetView): Record<string, string> {
  const existing = new Map(pods.map((pod) => [pod.metadata.name, pod]));
  const open = Object.entries(budget.status?.disruptedPods ?? {}).filter(([name, since]) => {
    const pod = existing.get(name);
    return pod !== undefined && !isTerminating(pod) && (parseTime(since) ?? 0) + evictionTimeoutMs > nowMs;
  });
  return Object.fromEntries(open);
}

/** When a granted eviction that was not carried out is to be forgotten. */
export function untilDisruptedExpires(status: PodDisruptionBudgetStatus, nowMs: number): number | undefined {
  const waits = Object.values(status.disruptedPods ?? {}).map(
    (since) => (parseTime(since) ?? nowMs) + evictionTimeoutMs - nowMs,
  );
  return waits.length === 0 ? undefined : Math.max(1, Math.min(...waits));
}
