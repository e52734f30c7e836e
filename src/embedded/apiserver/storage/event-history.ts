/** The last events of one resource, oldest first, at most `limit` of them. Knows from which revision on it is complete. */
import { CompactedError, type StoreEvent } from "./store.ts";

export class EventHistory {
  readonly #limit: number;
  #events: StoreEvent[] = [];
  /** Index of the oldest kept event in `#events`; dropped ones are cut off in blocks, which keeps a push O(1). */
  #start = 0;
  /** Revision of the newest dropped event: nothing is known of what happened up to it. */
  #compacted: number;

  /** @param compacted nothing is known of what happened up to this revision */
  constructor(limit: number, compacted = 0) {
    this.#limit = limit;
    this.#compacted = compacted;
  }

  push(event: StoreEvent): void {
    this.#events.push(event);
    if (this.#events.length - this.#start <= this.#limit) return;
    this.#compacted = this.#events[this.#start]?.revision ?? this.#compacted;
    this.#start += 1;
    if (this.#start < this.#limit) return;
    this.#events = this.#events.slice(this.#start);
    this.#start = 0;
  }

  /** Events with a revision above `revision`. */
  after(revision: number): StoreEvent[] {
    if (revision < this.#compacted) throw new CompactedError(revision, this.#compacted);
    let low = this.#start;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low);
  }
}
