/**
 * What really happened, as told by the acknowledged writes, and what a follower of a selection had to hear of it. Written
 * by the run's only writer, one write at a time, so that the order is known without asking any watch. Pure.
 */
export interface ChaosState {
  readonly key: string;
  readonly uid: string;
  /** Undefined for a delete that was acknowledged without one. */
  readonly resourceVersion: number | undefined;
  readonly deleted: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** One event that a follower must get, unless a list stood in for it. */
export interface ExpectedEvent {
  readonly key: string;
  readonly uid: string;
  readonly deleted: boolean;
  /** Of the object after it; undefined for a delete of which only the neighbours are known. */
  readonly resourceVersion: number | undefined;
  /** It happened at a version above `after` and not above `upTo`. */
  readonly after: number;
  readonly upTo: number;
}

export class ChaosHistory {
  readonly #states: ChaosState[] = [];

  get length(): number {
    return this.#states.length;
  }

  record(state: ChaosState): void {
    this.#states.push(state);
  }

  /** Events by key, in order, for a follower of what `matches`. */
  expect(matches: (labels: ChaosState["labels"]) => boolean): Map<string, ExpectedEvent[]> {
    const byKey = new Map<string, ExpectedEvent[]>();
    const held = new Set<string>();
    for (const [index, state] of this.#states.entries()) {
      const { key, uid, resourceVersion } = state;
      const present = !state.deleted && matches(state.labels);
      if (!present && !held.has(key)) continue;
      if (present) held.add(key);
      else held.delete(key);
      const events = byKey.get(key) ?? [];
      byKey.set(key, events);
      events.push({ key, uid, deleted: !present, resourceVersion, ...this.#place(index) });
    }
    return byKey;
  }

  #place(index: number): { after: number; upTo: number } {
    const own = this.#states[index]?.resourceVersion;
    if (own !== undefined) return { after: own - 1, upTo: own };
    // Only deletes have none, and no two deletes follow each other without a write in between.
    const before = this.#states[index - 1]?.resourceVersion ?? 0;
    const next = this.#states[index + 1]?.resourceVersion ?? Number.POSITIVE_INFINITY;
    return { after: before, upTo: next };
  }
}
