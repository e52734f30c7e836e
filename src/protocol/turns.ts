/**
 * Stage 2: which tenant a worker's claim goes to. Each tenant offers what its own quota allows; a cohort's quota is held against
 * it here, so that what becomes free in a cohort costs nothing until a worker asks. Mutable scratch only.
 */
import { intersect, type Mask } from "./column-mask.ts";
import type { Columns } from "./columns.ts";
import type { Cohort, FairShare, Tenant } from "./fair-share.ts";
import type { Plane } from "./tenant-tree.ts";

export interface Turn {
  readonly tenant: Tenant;
  /** What the quotas of its cohort have room for, of what the worker fits. */
  readonly allowed: Mask;
}

export class Turns {
  readonly #share: FairShare;
  readonly #columns: Columns;
  #scratch: Mask = new Int32Array(1);
  #allowed: Mask = new Int32Array(1);

  constructor(share: FairShare, columns: Columns) {
    this.#share = share;
    this.#columns = columns;
  }

  /** The tenant with the smallest tag that has something for a worker that fits `mask`. Good until the next call. */
  find(plane: Plane, mask: Mask): Turn | undefined {
    // Who is in no cohort never borrows.
    let tenant = plane === "Within" ? this.#share.tree.find(plane, mask, undefined) : undefined;
    let allowed = mask;
    for (const cohort of this.#share.cohorts()) {
      if (tenant && !cohort.tree.mayPrecede(plane, tenant)) continue;
      const small = this.#roomOf(cohort, plane);
      if (!small) continue;
      const both = intersect(this.#scratchFor(mask), mask, small);
      const found = cohort.tree.find(plane, both, tenant);
      if (found === tenant) continue;
      tenant = found;
      allowed = both;
      [this.#scratch, this.#allowed] = [this.#allowed, this.#scratch];
    }
    return tenant && { tenant, allowed };
  }

  /** Whether some task waits for nothing but a worker. */
  hasAny(): boolean {
    if (this.#share.tree.isOffering("Within", undefined)) return true;
    for (const cohort of this.#share.cohorts())
      for (const plane of ["Within", "Borrowing"] as const) {
        const small = this.#roomOf(cohort, plane);
        if (small && cohort.tree.isOffering(plane, small)) return true;
      }
    return false;
  }

  /** Columns for one task of which the cohort has room; undefined where there are none. */
  #roomOf({ nominal, running, reserved }: Cohort, plane: Plane): Mask | undefined {
    return this.#columns.upTo(nominal - running - (plane === "Within" ? 0 : reserved));
  }

  #scratchFor(mask: Mask): Mask {
    if (this.#scratch.length !== mask.length) this.#scratch = new Int32Array(mask.length);
    return this.#scratch;
  }
}
