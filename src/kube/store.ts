/**
 * What an informer knows of one kind: records by key and by index, always a state the server had. Written by the
 * reflector alone; read by controllers, who must not change what they read. A record is the object itself or, where an
 * informer has a transform, the compact thing that it makes of it (memory is then per record, not per object).
 */
import type { KubeObject } from "./object.ts";

/** Index values of a record; an empty list leaves it out of the index. */
export type Indexer<R> = (record: R) => readonly string[];
export type Indexers<R> = Readonly<Record<string, Indexer<R>>>;

export interface Store<R> {
  /** `key` as of `objectKey`: `namespace/name` or `name`. */
  get(key: string): R | undefined;
  has(key: string): boolean;
  keys(): IterableIterator<string>;
  list(): R[];
  /** Records whose indexer gave `value`. @throws RangeError for an index that was not declared */
  byIndex(index: string, value: string): R[];
  /** Values of an index that have records. */
  indexValues(index: string): string[];
  readonly size: number;
}

/** A change of one record, in the order in which the server made it. */
export type StoreEvent<R> =
  | { readonly type: "added"; readonly key: string; readonly object: R }
  | { readonly type: "updated"; readonly key: string; readonly object: R; readonly previous: R }
  /** `object` is the last that was known. */
  | { readonly type: "deleted"; readonly key: string; readonly object: R };

/** @param key as of `objectKey`: the very text that the store has, for a record that needs one */
export type Transform<T, R> = (object: T, key: string) => R;

export interface StoreOptions<T, R> {
  readonly transform: Transform<T, R>;
  readonly indexers?: Indexers<R> | undefined;
}

interface Entry<R> {
  readonly record: R;
  readonly uid: string;
  readonly resourceVersion: string;
}

/**
 * An object as the store will hold it: transform and indexers have run, so that the object itself need not be kept, and
 * one of them that throws does so before anything has changed.
 */
export interface StagedEntry<R> {
  readonly key: string;
  readonly entry: Entry<R>;
  readonly indexed: readonly IndexValues[];
}

const noValues: readonly IndexValues[] = [];

type IndexValues = readonly [index: string, values: readonly string[]];

export class ObjectStore<T extends KubeObject, R> implements Store<R> {
  readonly #entries = new Map<string, Entry<R>>();
  readonly #indexes = new Map<string, Map<string, Set<string>>>();
  readonly #transform: Transform<T, R>;
  readonly #indexers: Indexers<R>;

  constructor(options: StoreOptions<T, R>) {
    this.#transform = options.transform;
    this.#indexers = options.indexers ?? {};
    for (const index of Object.keys(this.#indexers)) this.#indexes.set(index, new Map());
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): R | undefined {
    return this.#entries.get(key)?.record;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  list(): R[] {
    return Array.from(this.#entries.values(), (entry) => entry.record);
  }

  byIndex(index: string, value: string): R[] {
    const records: R[] = [];
    for (const key of this.#index(index).get(value) ?? []) {
      const entry = this.#entries.get(key);
      if (entry) records.push(entry.record);
    }
    return records;
  }

  indexValues(index: string): string[] {
    return [...this.#index(index).keys()];
  }

  /**
   * Takes one object as the newest of its key. Gives no event for a version already held (a watch that starts again may
   * repeat itself), and two for an object that was deleted and made anew unseen.
   */
  put(object: T): StoreEvent<R>[] {
    return this.#putEntry(this.stage(object));
  }

  /** Makes the entry of an object and changes nothing. A version already held is given again, not transformed anew. */
  stage(object: T): StagedEntry<R> {
    const key = flatKey(object);
    const { uid = "", resourceVersion = "" } = object.metadata;
    const known = this.#entries.get(key);
    if (known && isSameVersion(known, { uid, resourceVersion })) return { key, entry: known, indexed: noValues };
    const entry = { record: this.#transform(object, key), uid, resourceVersion };
    return { key, entry, indexed: this.#computeIndexed(entry.record) };
  }

  #putEntry({ key, entry, indexed }: StagedEntry<R>): StoreEvent<R>[] {
    const known = this.#entries.get(key);
    if (known && isSameVersion(known, entry)) return [];
    this.#entries.set(key, entry);
    if (known) this.#unindex(key, known.record);
    this.#reindex(key, indexed);
    if (!known) return [{ type: "added", key, object: entry.record }];
    if (known.uid === entry.uid) return [{ type: "updated", key, object: entry.record, previous: known.record }];
    return [
      { type: "deleted", key, object: known.record },
      { type: "added", key, object: entry.record },
    ];
  }

  /** Forgets a key; the event carries `last`, the object as the server deleted it, or else the last known record. */
  remove(key: string, last?: T): StoreEvent<R>[] {
    const known = this.#entries.get(key);
    if (!known) return [];
    const object = last === undefined ? known.record : this.#transform(last, key);
    this.#entries.delete(key);
    this.#unindex(key, known.record);
    return [{ type: "deleted", key, object }];
  }

  /** Takes a whole new state, by key: deletes for what vanished unseen come first, then what is new or changed. */
  replace(incoming: ReadonlyMap<string, StagedEntry<R>>): StoreEvent<R>[] {
    const events: StoreEvent<R>[] = [];
    for (const key of [...this.#entries.keys()]) if (!incoming.has(key)) events.push(...this.remove(key));
    for (const entry of incoming.values()) events.push(...this.#putEntry(entry));
    return events;
  }

  #index(name: string): Map<string, Set<string>> {
    const index = this.#indexes.get(name);
    if (index) return index;
    throw new RangeError(
      `No index "${name}" in this store; declared: ${[...this.#indexes.keys()].join(", ") || "none"}.`,
    );
  }

  #computeIndexed(record: R): readonly IndexValues[] {
    if (this.#indexes.size === 0) return noValues;
    return Object.entries(this.#indexers).map(([name, indexer]) => [name, indexer(record)]);
  }

  #reindex(key: string, indexed: readonly IndexValues[]): void {
    for (const [name, values] of indexed) {
      const index = this.#index(name);
      for (const value of values) {
        const keys = index.get(value);
        if (keys) keys.add(key);
        else index.set(value, new Set([key]));
      }
    }
  }

  #unindex(key: string, record: R): void {
    for (const [name, values] of this.#computeIndexed(record)) {
      const index = this.#index(name);
      for (const value of values) {
        const keys = index.get(value);
        keys?.delete(key);
        if (keys?.size === 0) index.delete(value);
      }
    }
  }
}

/** As `objectKey`. A text that was put together keeps its parts beside it, of which one for each object is too many; a joined one does not. */
function flatKey({ metadata: { namespace, name } }: KubeObject): string {
  return namespace === undefined || namespace === "" ? name : [namespace, name].join("/");
}

function isSameVersion(a: Omit<Entry<unknown>, "record">, b: Omit<Entry<unknown>, "record">): boolean {
  return a.uid === b.uid && a.resourceVersion === b.resourceVersion && b.resourceVersion !== "";
}
