/**
 * Stage 2: who comes first among those who offer something that a worker fits. Every node knows the first below it and what is
 * offered below it, so that a search leaves out whole parts, and a change goes up only as far as it makes a difference.
 * Mutable and deterministic.
 */
import { type Mask, widen } from "./column-mask.ts";

/** The smaller tag goes first, and of equal ones the smaller order. */
export interface Entrant {
  readonly tag: number;
  readonly order: number;
}

/** Answers the entrant of a place, where it comes before `best`; else `best`. */
export type Visit<T extends Entrant> = (place: number, best: T | undefined) => T | undefined;

export class Tournament<T extends Entrant> {
  /** A power of 2; the leaf of place p is node leaves + p, and node 1 is the root. */
  #leaves = 4;
  #words = 1;
  /** Infinite where nothing is offered. */
  #tags = new Float64Array(8).fill(Number.POSITIVE_INFINITY);
  #orders = new Float64Array(8);
  /** At node * words. */
  #masks: Mask = new Int32Array(8);
  #wanted: Mask = this.#masks;
  #best: T | undefined;
  readonly #visit: Visit<T>;

  constructor(visit: Visit<T>) {
    this.#visit = visit;
  }

  /** Of the first of all; infinite where nothing is offered. */
  get tag(): number {
    return this.#tags[1] as number;
  }

  get order(): number {
    return this.#orders[1] as number;
  }

  /** Into `target`: what is offered, and in `mask`. @returns whether that is anything */
  intersect(target: Mask, mask: Mask): boolean {
    let any = 0;
    for (let word = 0; word < target.length; word++) {
      const both = word < this.#words ? (this.#masks[this.#words + word] as number) & (mask[word] ?? 0) : 0;
      target[word] = both;
      any |= both;
    }
    return any !== 0;
  }

  /** What the entrant of the place offers now; a tag that is infinite: nothing, whatever the mask says. */
  set(place: number, { tag, order }: Entrant, mask: Mask): void {
    if (place >= this.#leaves || mask.length > this.#words) this.#rebuild(place, mask.length);
    const leaf = this.#leaves + place;
    const words = this.#words;
    let isSame = this.#tags[leaf] === tag && this.#orders[leaf] === order;
    for (let word = 0; word < words; word++) {
      const offered = tag === Number.POSITIVE_INFINITY ? 0 : (mask[word] ?? 0);
      isSame &&= this.#masks[leaf * words + word] === offered;
      this.#masks[leaf * words + word] = offered;
    }
    if (!isSame) this.#rise(leaf, tag, order);
  }

  /** It offers what it did, at another tag; who offers nothing goes on doing so. */
  retag(place: number, { tag, order }: Entrant): void {
    const leaf = this.#leaves + place;
    if (place < this.#leaves && (this.#tags[leaf] as number) < Number.POSITIVE_INFINITY) this.#rise(leaf, tag, order);
  }

  /** The first of those who offer something of the mask, where it comes before `rival`; else that one. */
  find(mask: Mask, rival: T | undefined): T | undefined {
    this.#best = rival;
    this.#wanted = mask;
    this.#search(1);
    return this.#best;
  }

  #search(node: number): void {
    if (this.#best !== undefined && !this.#isBefore(node, this.#best)) return;
    if (!this.#offers(node)) return;
    if (node >= this.#leaves) {
      this.#best = this.#visit(node - this.#leaves, this.#best);
      return;
    }
    const first = this.#firstOf(2 * node);
    this.#search(first);
    this.#search(first ^ 1);
  }

  #isBefore(node: number, rival: Entrant): boolean {
    const tag = this.#tags[node] as number;
    return tag < rival.tag || (tag === rival.tag && (this.#orders[node] as number) < rival.order);
  }

  #offers(node: number): boolean {
    const words = this.#words;
    for (let word = 0; word < words; word++)
      if ((this.#masks[node * words + word] as number) & (this.#wanted[word] ?? 0)) return true;
    return false;
  }

  /** Of two nodes beside each other. */
  #firstOf(left: number): number {
    const [a, b] = [this.#tags[left] as number, this.#tags[left + 1] as number];
    const isLeft = a < b || (a === b && (this.#orders[left] as number) <= (this.#orders[left + 1] as number));
    return isLeft ? left : left + 1;
  }

  #rise(leaf: number, tag: number, order: number): void {
    this.#tags[leaf] = tag;
    this.#orders[leaf] = order;
    for (let node = leaf >> 1; node > 0 && this.#sum(node); node >>= 1);
  }

  /** @returns whether the node is another than before */
  #sum(node: number): boolean {
    const words = this.#words;
    const first = this.#firstOf(2 * node);
    const [tag, order] = [this.#tags[first] as number, this.#orders[first] as number];
    let isChanged = this.#tags[node] !== tag || this.#orders[node] !== order;
    this.#tags[node] = tag;
    this.#orders[node] = order;
    const left = 2 * node * words;
    for (let at = node * words, word = 0; word < words; word++, at++) {
      const both = (this.#masks[left + word] as number) | (this.#masks[left + words + word] as number);
      isChanged ||= this.#masks[at] !== both;
      this.#masks[at] = both;
    }
    return isChanged;
  }

  #rebuild(place: number, mostWords: number): void {
    const old = {
      leaves: this.#leaves,
      words: this.#words,
      tags: this.#tags,
      orders: this.#orders,
      masks: this.#masks,
    };
    while (place >= this.#leaves) this.#leaves *= 2;
    this.#words = Math.max(this.#words, mostWords);
    this.#tags = new Float64Array(2 * this.#leaves).fill(Number.POSITIVE_INFINITY);
    this.#orders = new Float64Array(2 * this.#leaves);
    this.#masks = new Int32Array(2 * this.#leaves * this.#words);
    for (let index = 0; index < old.leaves; index++) {
      const [from, to] = [old.leaves + index, this.#leaves + index];
      this.#tags[to] = old.tags[from] as number;
      this.#orders[to] = old.orders[from] as number;
      const mask = old.masks.subarray(from * old.words, (from + 1) * old.words);
      this.#masks.set(widen(mask, this.#words), to * this.#words);
    }
    for (let node = this.#leaves - 1; node > 0; node--) this.#sum(node);
  }
}
