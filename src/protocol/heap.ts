/** A binary heap: the smallest of many in logarithmic time. Pure data structure. */
import { InferiumError } from "../base/errors.ts";

export class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  /** @param compare negative where `a` comes out first */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  /** Another heap with those of its items, in linear time. */
  filter(keep: (item: T) => boolean): Heap<T> {
    const kept = new Heap(this.#compare);
    for (const item of this.#items) if (keep(item)) kept.#items.push(item);
    for (let at = (kept.size >> 1) - 1; at >= 0; at--) kept.#sink(at);
    return kept;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#rise(this.#items.length - 1);
  }

  /** As pop and then push, at half the price. */
  replaceTop(item: T): void {
    if (this.#items.length === 0) this.#items.push(item);
    else {
      this.#items[0] = item;
      this.#sink(0);
    }
  }

  pop(): T | undefined {
    const top = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) {
      this.#items[0] = last;
      this.#sink(0);
    }
    return top;
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    for (let at = from; ; ) {
      const left = at * 2 + 1;
      let first = at;
      if (this.#isBefore(left, first)) first = left;
      if (this.#isBefore(left + 1, first)) first = left + 1;
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const left = this.#items[a];
    const right = this.#items[b];
    return left !== undefined && right !== undefined && this.#compare(left, right) < 0;
  }

  #swap(a: number, b: number): void {
    const item = this.#items[a] as T;
    this.#items[a] = this.#items[b] as T;
    this.#items[b] = item;
  }
}

/** A key that is no number would be neither before nor after any other and break the heap silently. */
export function checkedKey(key: number): number {
  if (Number.isFinite(key)) return key;
  throw new InferiumError("InvalidQueueKey", `A queue key is ${key}; expected a finite number.`);
}
