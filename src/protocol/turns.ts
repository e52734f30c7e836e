/**
 * Stage 2: which tenant a worker's claim goes to. Each tenant offers what its own quota allows; what the quota of its cohort
 * allows of that is held against it here, in a tournament over the cohorts, so that what becomes free in a cohort costs
 * nothing for each of its tenants. Mutable and deterministic.
 */
import { intersect, type Mask } from "./column-mask.ts";
import type { Columns } from "./columns.ts";
import type { Cohort, FairShare, Tenant } from "./fair-share.ts";
import type { Plane } from "./tenant-tree.ts";
import { Tournament } from "./tournament.ts";

export interface Turn {
  readonly tenant: Tenant;
  /** What the quotas of its cohort have room for, of what the worker fits. */
  readonly allowed: Mask;
}

const planes = ["Within", "Borrowing"] as const;

export class Turns {
  readonly #share: FairShare;
  readonly #columns: Columns;
  readonly #cohorts: readonly Cohort[];
  readonly #within = new Tournament<Tenant>((place, best) => this.#ask("Within", place, best));
  readonly #borrowing = new Tournament<Tenant>((place, best) => this.#ask("Borrowing", place, best));
  #scratch: Mask = new Int32Array(1);
  #mask: Mask = this.#scratch;

  constructor(share: FairShare, columns: Columns) {
    this.#share = share;
    this.#columns = columns;
    this.#cohorts = [...share.cohorts()];
  }

  /** The tenant with the smallest tag that has something for a worker that fits `mask`. Good until the next call. */
  find(plane: Plane, mask: Mask): Turn | undefined {
    this.#mask = mask;
    // Who is in no cohort never borrows.
    const alone = plane === "Within" ? this.#share.tree.of(plane).find(mask, undefined) : undefined;
    const tenant = this.#of(plane).find(mask, alone);
    if (!tenant) return undefined;
    return { tenant, allowed: tenant.cohort ? this.#fitting(tenant.cohort, plane) : mask };
  }

  /** Whether some task waits for nothing but a worker. */
  hasAny(): boolean {
    const tags = [this.#share.tree.of("Within").tag, this.#within.tag, this.#borrowing.tag];
    return tags.some((tag) => tag < Number.POSITIVE_INFINITY);
  }

  /** What its tenants offer, need or run has changed. */
  place(cohort: Cohort): void {
    for (const plane of planes) {
      const offered = cohort.tree.of(plane);
      const scratch = this.#scratchOf(this.#columns.words);
      const small = this.#roomOf(cohort, plane);
      const isAny = small !== undefined && offered.intersect(scratch, small);
      this.#of(plane).set(cohort.place, isAny ? offered : nobody, scratch);
    }
  }

  #ask(plane: Plane, place: number, best: Tenant | undefined): Tenant | undefined {
    const cohort = this.#cohorts[place];
    return cohort ? cohort.tree.of(plane).find(this.#fitting(cohort, plane), best) : best;
  }

  #of(plane: Plane): Tournament<Tenant> {
    return plane === "Within" ? this.#within : this.#borrowing;
  }

  /** Columns for one task of which the cohort has room, of those that the worker fits. */
  #fitting(cohort: Cohort, plane: Plane): Mask {
    const small = this.#roomOf(cohort, plane);
    const scratch = this.#scratchOf(this.#mask.length);
    return small ? intersect(scratch, this.#mask, small) : scratch.fill(0);
  }

  /** Columns for one task of which the cohort has room; undefined where there are none. */
  #roomOf({ nominal, running, reserved }: Cohort, plane: Plane): Mask | undefined {
    return this.#columns.upTo(nominal - running - (plane === "Within" ? 0 : reserved));
  }

  #scratchOf(words: number): Mask {
    if (this.#scratch.length !== words) this.#scratch = new Int32Array(words);
    return this.#scratch;
  }
}

const nobody = { tag: Number.POSITIVE_INFINITY, order: 0 };
