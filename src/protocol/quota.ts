/**
 * Stage 2: which of a tenant's waiting tasks may run now. Called when something about the tenant changed; the cost grows with
 * what its tasks ask for and not with how many they are.
 *
 * Nobody starves behind a quota, by two rules. A task that came more than `maxPassMs` after its tenant's oldest one leaves room
 * for it, within the nominal where it fits there. And who borrows leaves room for the oldest task of each tenant of its cohort
 * that is within its nominal. Both speak of tasks that a worker has asked for: what nobody could run holds nobody back.
 *
 * Let t be the oldest of its tenant and within its nominal. What its tenant starts from now on leaves room for t, so once what
 * runs now has ended t is within its nominal again. If the cohort has no room for it then, nobody borrows until it has, so once
 * what runs then has ended no tenant is above its nominal and t fits: two generations of tasks, each as long as a time-out.
 */
import type { Columns } from "./columns.ts";
import type { Tenant } from "./fair-share.ts";
import type { Lane } from "./lane.ts";
import { type LaneList, laneWidth, standings } from "./lane-list.ts";

export type ShareLevel = "Within" | "Borrowing" | "Reclaiming" | "OverQuota" | "TooLarge" | "LeavesRoom";

/** A later task of its tenant passes one that waits for quota only if it came at most so much later: the bound on waiting. */
export const maxPassMs = 60_000;

/** Decides the standing of the tenant's lanes, tells its tree what it offers, and its cohort what it needs. */
export function placeTenant(tenant: Tenant, columns: Columns): void {
  const { tree, lanes, nominal } = tenant;
  const isUnlimited = nominal === Number.POSITIVE_INFINITY;
  if (!isUnlimited) decideStandings(tenant, columns);
  tree.clear();
  for (let place = 0; place < lanes.end; place += laneWidth) {
    if (isUnlimited) lanes.setStanding(place, standings.Within);
    const standing = lanes.standingAt(place);
    if (standing === standings.Parked) continue;
    tree.offer(standing === standings.Within ? "Within" : "Borrowing", lanes.columnAt(place));
  }
  tree.finish(tenant);
}

function decideStandings(tenant: Tenant, columns: Columns): void {
  const { lanes, nominal, running, cohort } = tenant;
  const most = mostOf(tenant);
  const oldest = findOldest(lanes, columns, { most, isPlaced: false });
  const needs = oldest < 0 ? 0 : lanes.unitsAt(oldest);
  // Heads after this must leave room for the oldest.
  const barredAfter = oldest < 0 ? Number.POSITIVE_INFINITY : lanes.headAt(oldest) + passMsOf(tenant);
  const barredRoom = (needs <= nominal ? nominal : most) - running - needs;
  for (let place = 0; place < lanes.end; place += laneWidth) {
    const units = lanes.unitsAt(place);
    const room = lanes.headAt(place) > barredAfter ? barredRoom : most - running;
    const right = units <= nominal - running ? standings.Within : standings.Borrowing;
    lanes.setStanding(place, units > room ? standings.Parked : right);
  }
  if (!cohort) return;
  const needed = findOldest(lanes, columns, { most: nominal - running, isPlaced: true });
  const reserved = needed < 0 ? 0 : lanes.unitsAt(needed);
  cohort.reserved += reserved - tenant.reserved;
  tenant.reserved = reserved;
}

/** Where the oldest may have had others give way, none of those may take the room that they left for it. */
export function passMsOf({ outranks }: Pick<Tenant, "outranks">): number {
  return outranks ? 0 : maxPassMs;
}

/** The tenant's next task, of those that a worker has asked for and that may ever run; undefined where none waits. */
export function findNext(tenant: Tenant, columns: Columns): Lane | undefined {
  const place = findOldest(tenant.lanes, columns, { most: mostOf(tenant), isPlaced: false });
  return place < 0 ? undefined : tenant.lanes.at(place);
}

interface Wanted {
  /** Units. */
  readonly most: number;
  /** Only of those that may run. */
  readonly isPlaced: boolean;
}

/** Place of the lane with the oldest task, of those that a worker has asked for; -1 where there is none. */
function findOldest(lanes: LaneList, columns: Columns, { most, isPlaced }: Wanted): number {
  let oldest = -1;
  let oldestHead = Number.POSITIVE_INFINITY;
  for (let place = 0; place < lanes.end; place += laneWidth) {
    const head = lanes.headAt(place);
    if (head > oldestHead || lanes.unitsAt(place) > most) continue;
    if (isPlaced && lanes.standingAt(place) === standings.Parked) continue;
    if (!columns.isServed(lanes.columnAt(place))) continue;
    if (head === oldestHead && !isHeadBefore(lanes, place, oldest)) continue;
    oldest = place;
    oldestHead = head;
  }
  return oldest;
}

function isHeadBefore(lanes: LaneList, a: number, b: number): boolean {
  const [left, right] = [lanes.at(a), lanes.at(b)];
  return right === undefined || left?.isBeforeHeadOf(right) === true;
}

/** What the lane's tenant may do for a task of it now, workers aside. */
export function decideLevel(lane: Lane): ShareLevel {
  const { tenant, column } = lane;
  const { units } = column;
  const { cohort, nominal, running } = tenant;
  if (nominal === Number.POSITIVE_INFINITY) return "Within";
  const most = mostOf(tenant);
  if (units > most) return "TooLarge";
  const left = cohort ? cohort.nominal - cohort.running : Number.POSITIVE_INFINITY;
  const isWithin = running + units <= nominal;
  if (isWithin && units > left) return "Reclaiming";
  if (running + units > most || units > (isWithin ? left : left - (cohort?.reserved ?? 0))) return "OverQuota";
  if (tenant.lanes.isParked(lane)) return "LeavesRoom";
  return isWithin ? "Within" : "Borrowing";
}

/** All that the tenant may ever run at once. */
function mostOf({ cohort, nominal, borrowing }: Tenant): number {
  return cohort ? Math.min(nominal + borrowing, cohort.nominal) : nominal;
}
