/** What became of the windows that a caller's account holds, by their tasks. Pure. */
import { isConditionTrue } from "../../api/v1alpha1/conditions.ts";
import type { InferenceTaskStatus } from "../../api/v1alpha1/generated/inferencetasks.ts";
import { stageOf } from "../../protocol/task-stage.ts";
import type { CallerAccount, HeldWindow, WindowState } from "./caller-accounts.ts";
import { windowLimits } from "./window-desk.ts";

/** A gateway that has committed to a window opens it at once, and after a restart not at all. */
const openWithinMs = 600_000;
/** Until a task that was created must be seen. */
const seenWithinMs = 300_000;

export interface TallyFacts {
  readonly nowMs: number;
  /** Of the task with this name; undefined where there is none. */
  readonly statusOf: (task: string) => InferenceTaskStatus | undefined;
}

/** The same account where nothing changed. */
export function tallyWindows(account: CallerAccount, facts: TallyFacts): CallerAccount {
  let next = account;
  for (const window of account.held) {
    const state = decideState(window, facts);
    if (state !== window.state) next = moveWindow(next, window, state);
  }
  // A window that is over is remembered for as long as it could come again.
  const isOld = ({ state, committedAtMs }: HeldWindow) =>
    (state === "Settled" || state === "Lost") &&
    facts.nowMs - committedAtMs > windowLimits.maxAgeMs + windowLimits.maxAheadMs;
  return next.held.some(isOld) ? { ...next, held: next.held.filter((window) => !isOld(window)) } : next;
}

function decideState({ state, task, committedAtMs }: HeldWindow, { nowMs, statusOf }: TallyFacts): WindowState {
  if (state === "Committed") return nowMs - committedAtMs > openWithinMs ? "Lost" : state;
  if (state !== "Opened" || task === undefined) return state;
  const status = statusOf(task);
  if (status === undefined) return nowMs - committedAtMs > seenWithinMs ? "Lost" : state;
  if (isConditionTrue(status.conditions, "Settled")) return "Settled";
  return stageOf(status) === "Done" ? "Lost" : state;
}

function moveWindow(account: CallerAccount, window: HeldWindow, state: WindowState): CallerAccount {
  const revenueWei = BigInt(window.statement.revenueWei);
  const held = account.held.map((one) => (one === window ? { ...window, state } : one));
  if (state === "Settled") {
    const settledWei = (BigInt(account.settledWei) + revenueWei).toString();
    return { ...account, held, settledWindows: account.settledWindows + 1, settledWei };
  }
  if (state !== "Lost") return { ...account, held };
  const spentWei = (BigInt(account.spentWei) - revenueWei).toString();
  return { ...account, held, lostWindows: account.lostWindows + 1, spentWei };
}
