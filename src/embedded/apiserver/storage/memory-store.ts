/**
 * The store in memory: one table a resource, one revision over all of them. Single-threaded, so each write is atomic.
 * With a `WriteLog` every write is also appended there before anybody hears of it. Effects: calls listeners and the log.
 */
import type { KubeObject } from "../object.ts";
import { ResourceTable, sliceByPrefix } from "./resource-table.ts";
import type { Snapshot, Store, StoreEvent, StoreListener, WriteLog } from "./store.ts";
import { StoredObject } from "./stored-object.ts";

/** What an earlier process left: the objects of each resource by key. */
export interface RestoredState {
  readonly objects: ReadonlyMap<string, Map<string, StoredObject>>;
  readonly revision: number;
}

export interface MemoryStoreOptions {
  /** Past events kept per resource. */
  readonly historyLimit?: number;
  readonly firstRevision?: number;
  readonly restored?: RestoredState;
  readonly log?: WriteLog;
}

const defaultHistoryLimit = 10_000;

export class MemoryStore implements Store {
  readonly #tables = new Map<string, ResourceTable>();
  readonly #listeners = new Set<StoreListener>();
  readonly #historyLimit: number;
  readonly #log: WriteLog | undefined;
  /** Nothing is known of events up to here. */
  readonly #compacted: number;
  #revision: number;

  constructor(options: MemoryStoreOptions = {}) {
    this.#historyLimit = options.historyLimit ?? defaultHistoryLimit;
    this.#log = options.log;
    this.#revision = options.restored?.revision ?? options.firstRevision ?? 1;
    this.#compacted = options.restored?.revision ?? 0;
    for (const [resource, objects] of options.restored?.objects ?? []) this.#addTable(resource, objects);
  }

  revision(): number {
    return this.#revision;
  }

  get(resource: string, key: string): StoredObject | undefined {
    return this.#tables.get(resource)?.get(key);
  }

  count(resource: string): number {
    return this.#tables.get(resource)?.size ?? 0;
  }

  resources(): readonly string[] {
    return [...this.#tables.keys()];
  }

  /** Everything, resource by resource. */
  *entries(): Generator<readonly [resource: string, stored: StoredObject]> {
    for (const [resource, table] of this.#tables) for (const stored of table.values()) yield [resource, stored];
  }

  list(resource: string, options: { namespace?: string; atRevision?: number } = {}): Snapshot {
    const table = this.#table(resource);
    const { namespace, atRevision } = options;
    const past = atRevision !== undefined && atRevision < this.#revision;
    const all = past ? table.at(atRevision) : table.sorted();
    const items = namespace === undefined ? all : sliceByPrefix(all, `${namespace}/`);
    return { items, revision: past ? atRevision : this.#revision };
  }

  create(resource: string, key: string, object: KubeObject): StoredObject {
    const table = this.#table(resource);
    if (table.get(key) !== undefined) throw new Error(`store: create of the existing key ${resource} ${key}`);
    const current = this.#stamp(key, object);
    this.#log?.put(resource, current);
    table.set(current);
    this.#publish(table, { resource, type: "ADDED", revision: current.revision, current });
    return current;
  }

  update(resource: string, key: string, object: KubeObject): StoredObject {
    const table = this.#table(resource);
    const previous = table.get(key);
    if (previous === undefined) throw new Error(`store: update of the missing key ${resource} ${key}`);
    const current = this.#stamp(key, object);
    this.#log?.put(resource, current);
    table.set(current);
    this.#publish(table, { resource, type: "MODIFIED", revision: current.revision, current, previous });
    return current;
  }

  delete(resource: string, key: string): StoredObject {
    const table = this.#table(resource);
    const previous = table.get(key);
    if (previous === undefined) throw new Error(`store: deletion of the missing key ${resource} ${key}`);
    const current = this.#stamp(key, previous.object);
    this.#log?.delete(resource, key, current.revision);
    table.delete(key);
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

  /**
   * Tells the present listeners of every object there is, oldest revision first, as if each had just been created. For
   * controllers, which learn of objects by events, after a start from a data directory.
   */
  announce(): void {
    const all = [...this.entries()].sort(([, a], [, b]) => a.revision - b.revision);
    for (const [resource, current] of all) {
      const event: StoreEvent = { resource, type: "ADDED", revision: current.revision, current };
      for (const listener of [...this.#table(resource).listeners, ...this.#listeners]) listener(event);
    }
  }

  get isFlushed(): boolean {
    return this.#log?.isFlushed ?? true;
  }

  flushed(): Promise<void> {
    return this.#log?.flushed() ?? Promise.resolve();
  }

  #table(resource: string): ResourceTable {
    return this.#tables.get(resource) ?? this.#addTable(resource);
  }

  #addTable(resource: string, objects?: Map<string, StoredObject>): ResourceTable {
    const table = new ResourceTable(this.#historyLimit, this.#compacted, objects);
    this.#tables.set(resource, table);
    return table;
  }

  #stamp(key: string, object: KubeObject): StoredObject {
    this.#log?.checkUsable();
    this.#revision += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#revision) };
    return new StoredObject(key, { ...object, metadata }, this.#revision);
  }

  #publish(table: ResourceTable, event: StoreEvent): void {
    table.history.push(event);
    for (const listener of [...table.listeners, ...this.#listeners]) listener(event);
  }
}
