/**
 * The store in memory: current objects in maps, and for each resource a bounded ring of past events that serves watches
 * and, by undoing them, lists at a past revision. Single-threaded, so each write is atomic. Effects: calls listeners.
 */
import type { KubeObject } from "../object.ts";
import { EventHistory } from "./event-history.ts";
import type { Snapshot, Store, StoreEvent, StoreListener } from "./store.ts";
import { StoredObject } from "./stored-object.ts";

interface ResourceTable {
  readonly objects: Map<string, StoredObject>;
  readonly history: EventHistory;
  readonly listeners: Set<StoreListener>;
  /** Objects in key order; undefined after a key came or went. */
  sorted: StoredObject[] | undefined;
}

export interface MemoryStoreOptions {
  /** Past events kept per resource. */
  readonly historyLimit?: number;
  readonly firstRevision?: number;
}

const defaultHistoryLimit = 10_000;

export class MemoryStore implements Store {
  readonly #tables = new Map<string, ResourceTable>();
  readonly #listeners = new Set<StoreListener>();
  readonly #historyLimit: number;
  #revision: number;

  constructor(options: MemoryStoreOptions = {}) {
    this.#historyLimit = options.historyLimit ?? defaultHistoryLimit;
    this.#revision = options.firstRevision ?? 1;
  }

  revision(): number {
    return this.#revision;
  }

  get(resource: string, key: string): StoredObject | undefined {
    return this.#tables.get(resource)?.objects.get(key);
  }

  count(resource: string): number {
    return this.#tables.get(resource)?.objects.size ?? 0;
  }

  resources(): readonly string[] {
    return [...this.#tables.keys()];
  }

  list(resource: string, options: { namespace?: string; atRevision?: number } = {}): Snapshot {
    const table = this.#table(resource);
    const past = options.atRevision !== undefined && options.atRevision < this.#revision;
    const all = past ? this.#undo(table, options.atRevision ?? 0) : sortedObjects(table);
    const revision = past ? (options.atRevision ?? 0) : this.#revision;
    if (options.namespace === undefined) return { items: all, revision };
    const prefix = `${options.namespace}/`;
    return { items: sliceByPrefix(all, prefix), revision };
  }

  create(resource: string, key: string, object: KubeObject): StoredObject {
    const table = this.#table(resource);
    if (table.objects.has(key)) throw new Error(`store: create of the existing key ${resource} ${key}`);
    const current = this.#stamp(key, object);
    table.objects.set(key, current);
    table.sorted = undefined;
    this.#publish(table, { resource, type: "ADDED", revision: current.revision, current });
    return current;
  }

  update(resource: string, key: string, object: KubeObject): StoredObject {
    const table = this.#table(resource);
    const previous = table.objects.get(key);
    if (previous === undefined) throw new Error(`store: update of the missing key ${resource} ${key}`);
    const current = this.#stamp(key, object);
    table.objects.set(key, current);
    replaceSorted(table, current);
    this.#publish(table, { resource, type: "MODIFIED", revision: current.revision, current, previous });
    return current;
  }

  delete(resource: string, key: string): StoredObject {
    const table = this.#table(resource);
    const previous = table.objects.get(key);
    if (previous === undefined) throw new Error(`store: deletion of the missing key ${resource} ${key}`);
    table.objects.delete(key);
    table.sorted = undefined;
    const current = this.#stamp(key, previous.object);
    this.#publish(table, { resource, type: "DELETED", revision: current.revision, current, previous });
    return current;
  }

  watch(resource: string, since: number, listener: StoreListener): () => void {
    const table = this.#table(resource);
    for (const event of table.history.after(since)) listener(event);
    table.listeners.add(listener);
    return () => table.listeners.delete(listener);
  }

  watchAll(listener: StoreListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  flushed(): Promise<void> {
    return Promise.resolve();
  }

  #table(resource: string): ResourceTable {
    let table = this.#tables.get(resource);
    if (table === undefined) {
      const history = new EventHistory(this.#historyLimit);
      table = { objects: new Map(), history, listeners: new Set(), sorted: undefined };
      this.#tables.set(resource, table);
    }
    return table;
  }

  #stamp(key: string, object: KubeObject): StoredObject {
    this.#revision += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#revision) };
    return new StoredObject(key, { ...object, metadata }, this.#revision);
  }

  #publish(table: ResourceTable, event: StoreEvent): void {
    table.history.push(event);
    for (const listener of [...table.listeners, ...this.#listeners]) listener(event);
  }

  #undo(table: ResourceTable, revision: number): StoredObject[] {
    const objects = new Map(table.objects);
    for (const event of table.history.after(revision).reverse()) {
      if (event.previous === undefined) objects.delete(event.current.key);
      else objects.set(event.current.key, event.previous);
    }
    return sortByKey([...objects.values()]);
  }
}

function sortByKey(objects: StoredObject[]): StoredObject[] {
  return objects.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

function sortedObjects(table: ResourceTable): StoredObject[] {
  table.sorted ??= sortByKey([...table.objects.values()]);
  return table.sorted;
}

/** A changed object keeps its place. The array is shared with callers of `list`, who read it before they yield. */
function replaceSorted(table: ResourceTable, current: StoredObject): void {
  if (table.sorted === undefined) return;
  const index = lowerBound(table.sorted, current.key);
  if (table.sorted[index]?.key === current.key) table.sorted[index] = current;
  else table.sorted = undefined;
}

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

function sliceByPrefix(items: readonly StoredObject[], prefix: string): StoredObject[] {
  const start = lowerBound(items, prefix);
  let end = start;
  while (items[end]?.key.startsWith(prefix) === true) end += 1;
  return items.slice(start, end);
}
