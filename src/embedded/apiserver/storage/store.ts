/**
 * What the request handlers need from storage: one revision counter over all resources, optimistic writes, lists at a
 * past revision and watches from one. `memory-store.ts` implements it; a persistent one can wrap or replace it.
 */
import type { KubeObject } from "../object.ts";
import type { StoredObject, WatchEventType } from "./stored-object.ts";

export interface StoreEvent {
  readonly resource: string;
  readonly type: WatchEventType;
  readonly revision: number;
  /** For DELETED: the last state, under the revision of its deletion. */
  readonly current: StoredObject;
  readonly previous?: StoredObject;
}

export interface Snapshot {
  /** In key order. */
  readonly items: readonly StoredObject[];
  readonly revision: number;
}

export type StoreListener = (event: StoreEvent) => void;

export interface Store {
  revision(): number;
  get(resource: string, key: string): StoredObject | undefined;
  /** All objects of a resource, of one namespace if given. Throws `CompactedError` when `atRevision` is too old. */
  list(resource: string, options?: { namespace?: string; atRevision?: number }): Snapshot;
  count(resource: string): number;
  resources(): readonly string[];
  create(resource: string, key: string, object: KubeObject): StoredObject;
  update(resource: string, key: string, object: KubeObject): StoredObject;
  delete(resource: string, key: string): StoredObject;
  /**
   * Calls `listener` for each event after `since`, past ones at once and in order, then new ones as they are written.
   * Throws `CompactedError` when events after `since` are no longer known. Returns the function that stops it.
   */
  watch(resource: string, since: number, listener: StoreListener): () => void;
  /** New events of every resource, for controllers. Returns the function that stops it. */
  watchAll(listener: StoreListener): () => void;
  /** False while something that can be read could still be lost: answers that show it wait for `flushed`. */
  readonly isFlushed: boolean;
  /** Resolves when every write so far is durable. In memory that is at once. */
  flushed(): Promise<void>;
}

/** Where writes are made durable. The journal of a data directory is one. */
export interface WriteLog {
  /** @throws when nothing more can be stored. Called before a write changes anything. */
  checkUsable(): void;
  put(resource: string, stored: StoredObject): void;
  delete(resource: string, key: string, revision: number): void;
  readonly isFlushed: boolean;
  flushed(): Promise<void>;
}

export class CompactedError extends Error {
  override readonly name = "CompactedError";
  readonly requested: number;
  readonly oldest: number;

  constructor(requested: number, oldest: number) {
    super(`too old resource version: ${requested} (${oldest})`);
    this.requested = requested;
    this.oldest = oldest;
  }
}
