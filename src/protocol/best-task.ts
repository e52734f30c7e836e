/** Stage 2: of one tenant's waiting tasks, the one that a worker gets. Pure. */
import { hasBit, type Mask } from "./column-mask.ts";
import type { Tenant } from "./fair-share.ts";
import { isBetter, type Lane, localityMs } from "./lane.ts";
import { laneWidth, type Standing, standings } from "./lane-list.ts";
import type { TaskTable } from "./task-table.ts";

interface Choice {
  readonly standing: Standing;
  /** What the worker fits and the quota of the tenant's cohort has room for. */
  readonly mask: Mask;
  readonly loaded: readonly number[];
  readonly table: TaskTable<Lane>;
}

/** Its row; 0 where there is none. */
export function findBest({ lanes }: Tenant, { standing, mask, loaded, table }: Choice): number {
  const wanted = standings[standing];
  const { end } = lanes;
  let earliest = Number.POSITIVE_INFINITY;
  for (let place = 0; place < end; place += laneWidth)
    if (lanes.headAt(place) < earliest && lanes.standingAt(place) === wanted && hasBit(mask, lanes.columnAt(place)))
      earliest = lanes.headAt(place);
  // No head after this can be better, whatever is loaded: only the few before it are worth a closer look.
  const latest = earliest + localityMs;
  let best = 0;
  for (let place = 0; place < end; place += laneWidth) {
    if (lanes.headAt(place) > latest || lanes.standingAt(place) !== wanted) continue;
    if (!hasBit(mask, lanes.columnAt(place))) continue;
    const row = lanes.at(place)?.best(loaded) ?? 0;
    if (best === 0 || isBetter(table, row, best, loaded)) best = row;
  }
  return best;
}
