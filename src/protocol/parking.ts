/**
 * Stage 2: lanes of one shape that wait until their tenant or its cohort has quota again. They cost nothing meanwhile: what
 * becomes free only marks the place, and it is looked at when a worker that fits the shape asks. Mutable.
 */
import type { QuotaGroup, Tenant } from "./fair-share.ts";
import type { Lane } from "./lane.ts";

export interface Parking {
  readonly lanes: Set<Lane>;
  /** Of its shape; this is among them when it is marked. */
  readonly marked: Set<Parking>;
}

export class ParkingLot {
  readonly #places = new Map<QuotaGroup, Parking>();
  readonly #marked = new Set<Parking>();

  park(lane: Lane): void {
    const group = groupOf(lane.tenant);
    let place = this.#places.get(group);
    if (!place) {
      place = { lanes: new Set(), marked: this.#marked };
      this.#places.set(group, place);
      group.parkings.add(place);
    }
    place.lanes.add(lane);
  }

  leave(lane: Lane): void {
    const group = groupOf(lane.tenant);
    const place = this.#places.get(group);
    if (!place?.lanes.delete(lane) || place.lanes.size > 0) return;
    this.#places.delete(group);
    this.#marked.delete(place);
    group.parkings.delete(place);
  }

  /** Lanes whose quota may have room again, each once. */
  marked(): Lane[] {
    if (this.#marked.size === 0) return none;
    const lanes = [...this.#marked].flatMap((place) => [...place.lanes]);
    this.#marked.clear();
    return lanes;
  }
}

const none: Lane[] = [];

/** Quota became free, or a hold ended. */
export function markParked(tenant: Tenant): void {
  for (const place of groupOf(tenant).parkings) place.marked.add(place);
}

function groupOf(tenant: Tenant): QuotaGroup {
  return tenant.cohort ?? tenant;
}
