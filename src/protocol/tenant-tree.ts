/**
 * Stage 2: whose turn it is among those who have something for a worker. A tournament over tenants: every node knows the
 * smallest tag below it and the columns that are offered below it, so that a search leaves out whole parts, and a change costs
 * the logarithm of the tenants. Mutable and deterministic.
 */
import { type Mask, widen } from "./column-mask.ts";
import type { Tenant } from "./fair-share.ts";

/** Columns that a tenant may run within its quota, and those for which it must borrow: two tournaments over the same leaves. */
export const planes = { Within: 0, Borrowing: 1 } as const;
export type Plane = keyof typeof planes;

export class TenantTree {
  /** A power of 2; the leaf of place p is node leaves + p, and node 1 is the root. */
  #leaves = 4;
  #words = 1;
  /** Of plane p of node n at 2 * n + p; infinite where nothing is offered. */
  #tags = new Float64Array(16).fill(Number.POSITIVE_INFINITY);
  /** Of the tenant whose tag it is: it decides between equal ones. */
  #orders = new Float64Array(16);
  /** At (2 * n + p) * words. */
  #masks = new Int32Array(16);
  readonly #tenants: (Tenant | undefined)[] = [];
  readonly #free: number[] = [];
  #best: Tenant | undefined;

  /** @returns its place */
  add(tenant: Tenant): number {
    const place = this.#free.pop() ?? this.#tenants.length;
    if (place >= this.#leaves) this.#rebuild(this.#leaves * 2, this.#words);
    this.#tenants[place] = tenant;
    return place;
  }

  remove(place: number): void {
    this.clear(place);
    this.finish(place);
    this.#tenants[place] = undefined;
    this.#free.push(place);
  }

  /** Begins a tenant's change: nothing is offered. To be followed by any number of `offer`, and `finish`. */
  clear(place: number): void {
    const leaf = 2 * (this.#leaves + place);
    this.#tags[leaf] = Number.POSITIVE_INFINITY;
    this.#tags[leaf + 1] = Number.POSITIVE_INFINITY;
    const end = (leaf + 2) * this.#words;
    for (let at = leaf * this.#words; at < end; at++) this.#masks[at] = 0;
  }

  offer({ place, tag, order }: Tenant, plane: Plane, column: number): void {
    let words = this.#words;
    while (column >= words * 32) words *= 2;
    if (words > this.#words) this.#rebuild(this.#leaves, words);
    const leaf = 2 * (this.#leaves + place) + planes[plane];
    this.#tags[leaf] = tag;
    this.#orders[leaf] = order;
    const at = leaf * words + (column >>> 5);
    this.#masks[at] = (this.#masks[at] as number) | (1 << (column & 31));
  }

  finish(place: number): void {
    for (let node = (this.#leaves + place) >> 1; node > 0; node >>= 1) this.#sum(node);
  }

  /** The first of those with one of these columns, where it comes before `rival`; else that one. */
  find(plane: Plane, mask: Mask, rival: Tenant | undefined): Tenant | undefined {
    this.#best = rival;
    this.#search(1, planes[plane], mask);
    return this.#best;
  }

  /** Whether somebody, whatever is offered, comes before the rival. */
  mayPrecede(plane: Plane, rival: Tenant): boolean {
    return this.#isBefore(2 + planes[plane], rival);
  }

  /** Whether anybody has one of these columns, or any at all. */
  isOffering(plane: Plane, mask: Mask | undefined): boolean {
    if (mask) return this.#offers(2 + planes[plane], mask);
    return (this.#tags[2 + planes[plane]] as number) < Number.POSITIVE_INFINITY;
  }

  #search(node: number, plane: number, mask: Mask): void {
    const at = 2 * node + plane;
    if (this.#best !== undefined && !this.#isBefore(at, this.#best)) return;
    if (!this.#offers(at, mask)) return;
    if (node >= this.#leaves) {
      this.#best = this.#tenants[node - this.#leaves];
      return;
    }
    const first = this.#firstOf(2 * node, plane);
    this.#search(first, plane, mask);
    this.#search(first ^ 1, plane, mask);
  }

  #isBefore(at: number, rival: Tenant): boolean {
    const tag = this.#tags[at] as number;
    return tag < rival.tag || (tag === rival.tag && (this.#orders[at] as number) < rival.order);
  }

  #offers(plane: number, mask: Mask): boolean {
    const words = this.#words;
    const at = plane * words;
    for (let word = 0; word < words; word++)
      if ((this.#masks[at + word] as number) & (mask[word] as number)) return true;
    return false;
  }

  /** Of two nodes beside each other, the one with the smaller tag. */
  #firstOf(left: number, plane: number): number {
    const [a, b] = [2 * left + plane, 2 * left + 2 + plane];
    const [tagA, tagB] = [this.#tags[a] as number, this.#tags[b] as number];
    const isLeft = tagA < tagB || (tagA === tagB && (this.#orders[a] as number) <= (this.#orders[b] as number));
    return isLeft ? left : left + 1;
  }

  #sum(node: number): void {
    const words = this.#words;
    for (let plane = 0; plane < 2; plane++) {
      const at = 2 * node + plane;
      const first = 2 * this.#firstOf(2 * node, plane) + plane;
      this.#tags[at] = this.#tags[first] as number;
      this.#orders[at] = this.#orders[first] as number;
      const left = (4 * node + plane) * words;
      for (let word = 0; word < words; word++)
        this.#masks[at * words + word] =
          (this.#masks[left + word] as number) | (this.#masks[left + 2 * words + word] as number);
    }
  }

  #rebuild(leaves: number, words: number): void {
    const old = {
      leaves: this.#leaves,
      words: this.#words,
      tags: this.#tags,
      orders: this.#orders,
      masks: this.#masks,
    };
    this.#leaves = leaves;
    this.#words = words;
    this.#tags = new Float64Array(4 * leaves).fill(Number.POSITIVE_INFINITY);
    this.#orders = new Float64Array(4 * leaves);
    this.#masks = new Int32Array(4 * leaves * words);
    for (let plane = 0; plane < 2 * old.leaves; plane++) {
      const [from, to] = [2 * old.leaves + plane, 2 * leaves + plane];
      this.#tags[to] = old.tags[from] as number;
      this.#orders[to] = old.orders[from] as number;
      this.#masks.set(widen(old.masks.subarray(from * old.words, (from + 1) * old.words), words), to * words);
    }
    for (let node = leaves - 1; node > 0; node--) this.#sum(node);
  }
}
