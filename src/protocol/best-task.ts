/** Stage 2: of one tenant's waiting tasks, the one that a worker gets. Pure. */
import { hasBit, type Mask } from "./column-mask.ts";
import type { Tenant } from "./fair-share.ts";
import { isBetter, localityMs } from "./lane.ts";
import { type Standing, standings } from "./lane-list.ts";
import type { TaskTable } from "./task-table.ts";

interface Choice {
  readonly standing: Standing;
  /** What the worker fits and the quota of the tenant's cohort has room for. */
  readonly mask: Mask;
  readonly loaded: readonly number[];
  readonly table: TaskTable;
}

/** Its row; 0 where there is none. */
export function findBest({ lanes }: Tenant, { standing, mask, loaded, table }: Choice): number {
  const wanted = standings[standing];
  const { heads, columns, length } = lanes;
  let best = 0;
  // No head after this can be better, whatever is loaded.
  let latest = Number.POSITIVE_INFINITY;
  for (let index = 0; index < length; index++) {
    const head = heads[index] as number;
    if (head > latest || lanes.standings[index] !== wanted || !hasBit(mask, columns[index] as number)) continue;
    const row = lanes.at(index)?.best(loaded) ?? 0;
    if (best !== 0 && !isBetter(table, row, best, loaded)) continue;
    best = row;
    latest = Math.min(latest, table.keyOf(row) + localityMs);
  }
  return best;
}
