/**
 * Why a task that waits is kept out of the pool: it is suspended, or a task of its `dependsOn` is missing, not done, failed, or
 * waits for this very one. Said on the task after a while, once for each reason. Called by stage 2.
 */
import { isConditionTrue } from "../../api/v1alpha1/conditions.ts";
import type { Clock } from "../../base/clock.ts";
import type { ReconcileResult } from "../../kube/controller.ts";
import { failTask } from "../../protocol/attempts.ts";
import { holdTask } from "../../protocol/lifecycle.ts";
import type { Hold } from "../../protocol/status-change.ts";
import { stageOf } from "../../protocol/task-stage.ts";
import type { TaskEntry, TaskLedger } from "../ledger.ts";

export interface HoldingOptions {
  readonly ledger: TaskLedger;
  readonly clock: Clock;
  /** Time that a task may be held before it is said why. */
  readonly explainAfterMs: number;
}

/** Those that have passed once the task is in the pool. */
export const heldReasons: ReadonlySet<string> = new Set([
  ...["Suspended", "DependencyMissing", "DependenciesPending"],
  ...["BatchSuspended", "BatchGone", "CopyAtWork"],
]);

const namedAtMost = 3;
/** Tasks that are looked at for one that waits for itself. */
const searchedAtMost = 10_000;

type Ledger = Pick<TaskLedger, "get">;

export function findHold(ledger: Ledger, { task }: TaskEntry): Hold | undefined {
  const { namespace = "" } = task.metadata;
  const missing: string[] = [];
  const pending: string[] = [];
  for (const name of task.spec.dependsOn ?? []) {
    const dependency = ledger.get(`${namespace}/${name}`);
    const conditions = dependency?.status.conditions;
    if (isConditionTrue(conditions, "Stalled")) return dependencyFailed(name);
    if (!dependency) missing.push(name);
    else if (!isConditionTrue(conditions, "Ready")) pending.push(name);
  }
  if (task.spec.suspend) return suspended;
  if (missing.length > 0) return dependencyMissing(namespace, missing);
  return pending.length > 0 ? dependenciesPending(pending) : undefined;
}

const suspended: Hold = { reason: "Suspended", message: "spec.suspend is true; set it to false.", isFinal: false };

function dependencyFailed(name: string): Hold {
  const message = `The task ${name}, which this one depends on, did not succeed.`;
  return { reason: "DependencyFailed", message, isFinal: true };
}

function dependencyMissing(namespace: string, names: readonly string[]): Hold {
  const message = `It depends on ${list(names)}, which is not in namespace ${namespace}; create it there.`;
  return { reason: "DependencyMissing", message, isFinal: false };
}

function dependenciesPending(names: readonly string[]): Hold {
  return { reason: "DependenciesPending", message: `It waits for ${list(names)} to succeed.`, isFinal: false };
}

function list(names: readonly string[]): string {
  const more = names.length - namedAtMost;
  return `${names.slice(0, namedAtMost).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Names of the tasks from this one along `dependsOn` back to it; undefined where there is no such way among those that wait. */
export function findCycle(ledger: Ledger, { key, task }: TaskEntry): string[] | undefined {
  const { namespace = "", name } = task.metadata;
  const cameFrom = new Map<string, string>();
  const open = [name];
  for (let at = open.pop(); at !== undefined && cameFrom.size < searchedAtMost; at = open.pop()) {
    const entry = ledger.get(`${namespace}/${at}`);
    if (!entry || stageOf(entry.status) !== "Wait") continue;
    for (const next of entry.task.spec.dependsOn ?? []) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, at);
      if (`${namespace}/${next}` === key) return walkBack(name, cameFrom);
      open.push(next);
    }
  }
  return undefined;
}

function walkBack(name: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const path = [name];
  for (let at = cameFrom.get(name); at !== undefined && at !== name; at = cameFrom.get(at)) path.unshift(at);
  return [name, ...path];
}

export interface Holding {
  /** What `findHold` found of the task. */
  say(entry: TaskEntry, hold: Hold): Promise<ReconcileResult | undefined>;
  forget(key: string): void;
}

export function createHolding(options: HoldingOptions): Holding {
  const { clock, explainAfterMs, ledger } = options;
  const sinceMs = new Map<string, number>();
  const say = async (entry: TaskEntry, hold: Hold) => {
    const heldMs = clock.monotonic() - (sinceMs.get(entry.key) ?? clock.monotonic());
    if (!sinceMs.has(entry.key)) sinceMs.set(entry.key, clock.monotonic());
    if (!hold.isFinal && heldMs < explainAfterMs) return { requeueAfterMs: Math.ceil(explainAfterMs - heldMs) };
    await tellHold(ledger, entry, hold.isFinal ? hold : (asCycle(ledger, entry, hold) ?? hold));
    // What ends it is an event: of the task itself, or of one that it depends on.
    return undefined;
  };
  return { say, forget: (key) => void sinceMs.delete(key) };
}

/** The last task of a circle that is created closes it, and finds it when it is first said why that one waits. */
function asCycle(ledger: Ledger, entry: TaskEntry, hold: Hold): Hold | undefined {
  const isSaid = entry.status.conditions?.some(({ type, reason }) => type === "Queued" && reason === hold.reason);
  const cycle = isSaid ? undefined : findCycle(ledger, entry);
  if (!cycle) return undefined;
  const path = cycle.length > 8 ? [...cycle.slice(0, 4), "...", ...cycle.slice(-3)] : cycle;
  const message = `It waits for itself: ${path.join(" depends on ")}. Create one of them anew with another dependsOn.`;
  return { reason: "DependencyCycle", message, isFinal: true };
}

/** Tells on the task why it is held, unless that was the last thing told. */
export async function tellHold(ledger: TaskLedger, entry: TaskEntry, hold: Hold): Promise<void> {
  await ledger.change(entry.key, {
    uid: entry.uid,
    stage: hold.isFinal ? "failed" : "queued",
    durable: true,
    decide: (status, context) => {
      if (stageOf(status) !== "Wait") return undefined;
      if (hold.isFinal) return failTask(status, hold, context);
      const said = status.conditions?.find(({ type }) => type === "Queued");
      const isSaid = said?.status === "False" && said.reason === hold.reason;
      return isSaid ? undefined : holdTask(status, hold, context);
    },
  });
}
