/**
 * Stage 2: which running tasks of a tenant give way to its own next one, where its policy has lower priorities preempted. Pure.
 *
 * Nobody preempts in a circle. Only the tenant's next task t preempts, and only what has a lower priority and would not go before t
 * when it waits again, by more than the credit of a loaded model; and only where t is within the nominal then. Whatever else of the
 * tenant starts leaves room for t (quota.ts), and so does who borrows. So of what gave way nothing starts before t
 * has, and each round either puts a task of higher priority in the place of lower ones or leaves t nothing to ask for: if the
 * cohort has no room for t by then, that is for those who borrow to give back (reclaim.ts), and no reason to preempt again.
 */
import type { Columns } from "./columns.ts";
import type { Tenant } from "./fair-share.ts";
import { type Lane, localityMs } from "./lane.ts";
import { findNext } from "./quota.ts";
import type { RunningTask } from "./reclaim.ts";
import type { TaskTable } from "./task-table.ts";

/** A running task with what decides who goes before whom. */
export interface RankedRunning extends RunningTask {
  readonly key: number;
  readonly priority: number;
}

interface Claim {
  readonly key: number;
  readonly priority: number;
  /** Units that its tenant's nominal lacks for it, with what is ending. */
  readonly missing: number;
}

/** What of the tenant gives way to its next task, where its nominal has room for that one; NoRoom where its cohort has none even so. */
export function findOutranked(tenant: Tenant, columns: Columns, table: TaskTable<Lane>): RankedRunning[] | "NoRoom" {
  if (tenant.waiting === 0 || tenant.running === 0) return [];
  const next = findNext(tenant, columns);
  if (!next || next.units > tenant.nominal) return [];
  const { cohort, nominal, running } = tenant;
  const { head, units } = next;
  const missing = running + units - nominal;
  if (missing <= 0) return [];
  const left = cohort ? cohort.nominal - cohort.running : Number.POSITIVE_INFINITY;
  if (left + running < units) return "NoRoom";
  const own = table.runningOf([tenant]);
  const given = decideOutranked({ key: table.keyOf(head), priority: table.priorityOf(head), missing }, own);
  if (given.length === 0) return [];
  const isEnough = left + unitsOf(given) + unitsOf(own.filter(({ isEnding }) => isEnding)) >= units;
  return isEnough ? given : "NoRoom";
}

/** @param running of the tenant, in the order of their starts. @returns nothing where all of them would not be enough */
function decideOutranked(claim: Claim, running: readonly RankedRunning[]): RankedRunning[] {
  let missing = claim.missing - unitsOf(running.filter(({ isEnding }) => isEnding));
  const candidates = running
    .filter(({ isEnding, priority, key }) => !isEnding && priority < claim.priority && key > claim.key + localityMs)
    // The lowest first; of equal ones the latest start.
    .reverse()
    .sort((a, b) => a.priority - b.priority);
  const given: RankedRunning[] = [];
  for (const task of candidates) {
    if (missing <= 0) break;
    given.push(task);
    missing -= task.units;
  }
  if (missing > 0) return [];
  return spareNeedless(given, -missing);
}

/** A large one at the end may make small ones before it needless. */
function spareNeedless(given: readonly RankedRunning[], surplus: number): RankedRunning[] {
  let left = surplus;
  const kept: RankedRunning[] = [];
  for (const task of given.toReversed()) {
    if (task.units <= left) left -= task.units;
    else kept.unshift(task);
  }
  return kept;
}

function unitsOf(tasks: readonly RunningTask[]): number {
  return tasks.reduce((sum, { units }) => sum + units, 0);
}
