/**
 * Stage 2: tasks that the same workers can take: one set of requirements, and of workers that have failed them. Whether a
 * worker fits is asked once per shape, so the cost of a claim grows with the number of shapes and not of tasks; within a
 * shape the lanes of its tenants stand in the order of their tags. Mutable and deterministic.
 */
import { decideLevel, type Tenant } from "./fair-share.ts";
import { Heap } from "./heap.ts";
import { Lane } from "./lane.ts";
import type { Requirements } from "./matching.ts";
import { ParkingLot } from "./parking.ts";
import type { FailedWorker } from "./pool.ts";

interface Entry {
  readonly lane: Lane;
  /** The tenant's tag when this was written; tags only grow, so an old one is never too late. */
  readonly tag: number;
  /** The tenant's. */
  readonly order: number;
}

const entryOf = (lane: Lane): Entry => ({ lane, tag: lane.tenant.tag, order: lane.tenant.order });

const compareEntries = (a: Entry, b: Entry) => a.tag - b.tag || a.order - b.order;

/** A later task of its tenant passes one that waits for quota only if it came at most so much later: the bound on waiting. */
export const maxPassMs = 60_000;

/** Parked: over its quota, or behind a task of its tenant that is. */
export type Standing = "Within" | "Borrowing" | "Parked";
type Placed = Exclude<Standing, "Parked">;

export class Shape {
  readonly requirements: Requirements;
  readonly failedWorkers: readonly FailedWorker[];
  /** What one task takes of a quota: GPUs, and a slot without one counts like one. */
  readonly units: number;
  readonly #lanes = new Map<Tenant, Lane>();
  readonly #order: Record<Placed, Heap<Entry>> = {
    Within: new Heap(compareEntries),
    Borrowing: new Heap(compareEntries),
  };

  readonly #parked = new ParkingLot();

  constructor({ requirements, failedWorkers }: Pick<Shape, "requirements" | "failedWorkers">) {
    this.requirements = requirements;
    this.failedWorkers = failedWorkers;
    this.units = Math.max(1, requirements.gpus ?? 0);
  }

  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }

  laneOf(tenant: Tenant): Lane | undefined {
    return this.#lanes.get(tenant);
  }

  openLane(tenant: Tenant): Lane {
    const lane = new Lane(tenant, this);
    this.#lanes.set(tenant, lane);
    tenant.lanes.add(lane);
    this.#forgetDropped();
    this.place(lane);
    return lane;
  }

  dropLane(lane: Lane): void {
    this.#lanes.delete(lane.tenant);
    this.#parked.leave(lane);
    lane.standing = "Parked";
    lane.tenant.lanes.delete(lane);
    endHold(lane);
  }

  /** Into the order, not yet held against its quota: that is done when a worker looks at it. */
  place(lane: Lane, standing: Placed = "Within"): void {
    lane.standing = standing;
    // An entry that is there already has an older tag, which is mended when it comes up.
    if (lane.listed[standing]) return;
    lane.listed[standing] = true;
    this.#order[standing].push(entryOf(lane));
  }

  /** Entries of lanes that are gone do not all come up by themselves. */
  #forgetDropped(): void {
    for (const standing of ["Within", "Borrowing"] as const) {
      const heap = this.#order[standing];
      if (heap.size <= 2 * this.#lanes.size + 64) continue;
      this.#order[standing] = heap.filter(({ lane }) => {
        lane.listed[standing] = lane.standing === standing;
        return lane.listed[standing];
      });
    }
  }

  /** Whose turn it is. */
  first(): Lane | undefined {
    for (const lane of this.#parked.marked()) if (this.#settle(lane) !== "Parked") this.#parked.leave(lane);
    return this.#firstOf("Within") ?? this.#firstOf("Borrowing");
  }

  #firstOf(standing: Placed): Lane | undefined {
    const heap = this.#order[standing];
    for (let top = heap.peek(); top !== undefined; top = heap.peek()) {
      const { lane, tag } = top;
      if (lane.standing === standing) {
        if (tag !== lane.tenant.tag) {
          heap.replaceTop(entryOf(lane));
          continue;
        }
        if (lane.tenant.nominal === Number.POSITIVE_INFINITY || decideStanding(lane) === standing) return lane;
        if (this.#settle(lane) === "Parked") this.#parked.park(lane);
      }
      heap.pop();
      lane.listed[standing] = false;
    }
    return undefined;
  }

  /** Puts the lane where it belongs now; the caller parks it. */
  #settle(lane: Lane): Standing {
    const standing = lane.tenant.nominal === Number.POSITIVE_INFINITY ? "Within" : decideStanding(lane);
    if (standing === "Parked") lane.standing = standing;
    else this.place(lane, standing);
    return standing;
  }
}

/** Called where a worker fits: from now on a lane without quota is one that others leave room for. */
function decideStanding(lane: Lane): Standing {
  const { tenant, shape } = lane;
  const level = decideLevel(tenant, shape.units, lane);
  if (level === "TooLarge") return "Parked";
  if (level === "Reclaiming") tenant.cohort?.reclaimers.set(lane, shape.units);
  if (level === "Reclaiming" || level === "OverQuota") {
    // One unit is passed by nothing smaller, so nobody has to leave room for it.
    if (shape.units > 1 && (tenant.hold === undefined || lane.headKey() < tenant.hold.headKey())) tenant.hold = lane;
    return "Parked";
  }
  return isPassedTooLate(lane) ? "Parked" : level;
}

/** A larger task of its tenant waits for quota and came so much earlier that nobody takes the room that it needs any more. */
function isPassedTooLate(lane: Lane): boolean {
  const { tenant, shape } = lane;
  const { hold } = tenant;
  // Where this one fits, a smaller one does too.
  if (hold === undefined || hold.shape.units <= shape.units) return false;
  if (hold.headKey() + maxPassMs >= lane.headKey()) return false;
  if (decideLevel(tenant, hold.shape.units, hold) === "TooLarge") return false;
  const both = decideLevel(tenant, hold.shape.units + shape.units, hold);
  return both !== "Within" && both !== "Borrowing";
}

/** Nobody leaves room for its head any more: it was taken or is gone, or no worker is there for it. */
export function endHold(lane: Lane): void {
  if (lane.tenant.hold === lane) lane.tenant.hold = undefined;
  lane.tenant.cohort?.reclaimers.delete(lane);
}
