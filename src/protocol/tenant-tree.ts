/**
 * Stage 2: whose turn it is among the tenants of one cohort, or of those in none: one tournament over what they may run within
 * their quotas, and one over that for which they must borrow. Mutable and deterministic.
 */
import { type Mask, setBit, widen } from "./column-mask.ts";
import type { Tenant } from "./fair-share.ts";
import { Tournament } from "./tournament.ts";

export type Plane = "Within" | "Borrowing";

export class TenantTree {
  readonly #tenants: (Tenant | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #visit = (place: number): Tenant | undefined => this.#tenants[place];
  readonly #within = new Tournament<Tenant>(this.#visit);
  readonly #borrowing = new Tournament<Tenant>(this.#visit);
  /** What the tenant whose change has begun offers. */
  #offersWithin: Mask = new Int32Array(1);
  #offersBorrowing: Mask = new Int32Array(1);

  /** @returns its place */
  add(tenant: Tenant): number {
    const place = this.#free.pop() ?? this.#tenants.length;
    this.#tenants[place] = tenant;
    return place;
  }

  /** It offers nothing any more. */
  remove(tenant: Tenant): void {
    this.clear();
    this.finish(tenant);
    this.#tenants[tenant.place] = undefined;
    this.#free.push(tenant.place);
  }

  /** Begins a tenant's change: nothing is offered. To be followed by any number of `offer`, and `finish`. */
  clear(): void {
    this.#offersWithin.fill(0);
    this.#offersBorrowing.fill(0);
  }

  offer(plane: Plane, column: number): void {
    if (column >= 32 * this.#offersWithin.length) this.#widen(column);
    setBit(plane === "Within" ? this.#offersWithin : this.#offersBorrowing, column, true);
  }

  finish(tenant: Tenant): void {
    announce(this.#within, tenant, this.#offersWithin);
    announce(this.#borrowing, tenant, this.#offersBorrowing);
  }

  /** Nothing but its tag has changed. */
  retag(tenant: Tenant): void {
    this.#within.retag(tenant.place, tenant);
    this.#borrowing.retag(tenant.place, tenant);
  }

  of(plane: Plane): Tournament<Tenant> {
    return plane === "Within" ? this.#within : this.#borrowing;
  }

  #widen(column: number): void {
    let words = this.#offersWithin.length;
    while (column >= words * 32) words *= 2;
    this.#offersWithin = widen(this.#offersWithin, words);
    this.#offersBorrowing = widen(this.#offersBorrowing, words);
  }
}

function announce(tournament: Tournament<Tenant>, tenant: Tenant, offers: Mask): void {
  tournament.set(tenant.place, offers.some(isAny) ? tenant : nobody, offers);
}

const isAny = (word: number) => word !== 0;
const nobody = { tag: Number.POSITIVE_INFINITY, order: 0 };
