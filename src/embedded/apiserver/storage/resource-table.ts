/**
 * The objects of one resource: by key, in key order, and as they were at past revisions. Arrays that were handed out are
 * never changed afterwards, so a reader may go on with one across turns. Used by the store in memory only.
 */
import { EventHistory } from "./event-history.ts";
import type { StoreEvent, StoreListener } from "./store.ts";
import type { StoredObject } from "./stored-object.ts";

export class ResourceTable {
  readonly history: EventHistory;
  readonly listeners = new Set<StoreListener>();
  readonly #objects: Map<string, StoredObject>;
  /** Objects in key order; undefined until somebody asks. */
  #sorted: StoredObject[] | undefined;
  /** Whether somebody may be reading `#sorted`. */
  #shared = false;
  /** Pages of one list ask for the same past again and again. */
  #past: { readonly revision: number; readonly items: readonly StoredObject[] } | undefined;

  constructor(historyLimit: number, compacted: number, objects = new Map<string, StoredObject>()) {
    this.history = new EventHistory(historyLimit, compacted);
    this.#objects = objects;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  values(): Iterable<StoredObject> {
    return this.#objects.values();
  }

  set(stored: StoredObject): void {
    this.#objects.set(stored.key, stored);
    if (this.#sorted === undefined) return;
    const sorted = this.#own(this.#sorted);
    const index = lowerBound(sorted, stored.key);
    if (sorted[index]?.key === stored.key) sorted[index] = stored;
    else sorted.splice(index, 0, stored);
  }

  delete(key: string): void {
    this.#objects.delete(key);
    if (this.#sorted === undefined) return;
    const sorted = this.#own(this.#sorted);
    sorted.splice(lowerBound(sorted, key), 1);
  }

  sorted(): readonly StoredObject[] {
    this.#sorted ??= sortByKey([...this.#objects.values()]);
    this.#shared = true;
    return this.#sorted;
  }

  /** @throws CompactedError when that is too long ago */
  at(revision: number): readonly StoredObject[] {
    const since = this.history.after(revision);
    if (since.length === 0) return this.sorted();
    if (this.#past?.revision !== revision) this.#past = { revision, items: undo(this.sorted(), since) };
    return this.#past.items;
  }

  #own(sorted: StoredObject[]): StoredObject[] {
    if (!this.#shared) return sorted;
    const copy = sorted.slice();
    this.#sorted = copy;
    this.#shared = false;
    return copy;
  }
}

/** The first event of each key after the revision knows what was there before. */
function undo(present: readonly StoredObject[], since: readonly StoreEvent[]): StoredObject[] {
  const before = new Map<string, StoredObject | undefined>();
  for (const { current, previous } of since.toReversed()) before.set(current.key, previous);
  const untouched = present.filter((item) => !before.has(item.key));
  const restored = [...before.values()].filter((item) => item !== undefined);
  return sortByKey([...untouched, ...restored]);
}

function sortByKey(objects: StoredObject[]): StoredObject[] {
  return objects.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** Index of the first item whose key is not below `key`. */
export function lowerBound(items: readonly StoredObject[], key: string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((items[middle]?.key ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function sliceByPrefix(items: readonly StoredObject[], prefix: string): readonly StoredObject[] {
  const start = lowerBound(items, prefix);
  let end = start;
  while (items[end]?.key.startsWith(prefix) === true) end += 1;
  return items.slice(start, end);
}
