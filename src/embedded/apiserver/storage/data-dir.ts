/**
 * A store that outlives its process, in a directory of its own: `state.journal` holds everything (objects, the revision,
 * the server's keys), `lock` names the process that has it open. Called by `server.ts`. Effects: the directory and the
 * two files; reads the whole journal into memory on opening.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describeError, InferiumError } from "../../../base/errors.ts";
import type { KubeObject } from "../object.ts";
import { lockDataDir } from "./data-lock.ts";
import { Journal } from "./journal.ts";
import { decodeJournal, encodeRecord, type JournalRecord } from "./journal-format.ts";
import { MemoryStore, type RestoredState } from "./memory-store.ts";
import type { WriteLog } from "./store.ts";
import { StoredObject } from "./stored-object.ts";

/** What the server keeps beside objects, by name: its certificate authority, keys and tokens. */
export interface ServerNotes {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
}

export interface DataDir {
  readonly store: MemoryStore;
  readonly notes: ServerNotes;
  /** Writes what is still waiting and lets others open the directory. */
  close(): Promise<void>;
}

export interface DataDirOptions {
  readonly historyLimit?: number;
  /** Told once, when something could not be written; no write succeeds after it. */
  readonly onFailure: (error: InferiumError) => void;
  readonly compactBytes?: number;
}

/**
 * A version that a client saw of a write that was then lost (it had not been acknowledged) must never be given to another
 * write. No batch is as large as this.
 */
const revisionGap = 1_000;

/** @throws InferiumError DataDirUnusable, DataDirLocked, DataDamaged, DataFormatUnknown */
export async function openDataDir(dir: string, options: DataDirOptions): Promise<DataDir> {
  await explain(dir, "made", () => mkdir(dir, { recursive: true, mode: 0o700 }));
  const unlock = await explain(dir, "locked", () => lockDataDir(dir));
  try {
    const path = join(dir, "state.journal");
    const file = await explain(dir, "read", () => readIfAny(path));
    const decoded = decodeJournal(file, path);
    const state = replay(decoded.records);
    const snapshot = () => encodeState(store.revision(), [...store.entries()], [...state.notes]);
    const at = { sequence: decoded.nextSequence, bytes: decoded.validBytes };
    const journal = await explain(dir, "written", () => Journal.open({ ...options, path, snapshot }, at));
    const { historyLimit } = options;
    const store = new MemoryStore({
      ...(historyLimit === undefined ? {} : { historyLimit }),
      ...(file.length === 0 ? {} : { restored: { ...state, revision: state.revision + revisionGap } }),
      log: new JournalLog(journal),
    });
    return {
      store,
      notes: {
        get: (name) => state.notes.get(name),
        set: (name, value) => {
          state.notes.set(name, value);
          journal.append(encodeRecord(["note", name, value]));
        },
      },
      close: async () => {
        await journal.close();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

class JournalLog implements WriteLog {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  checkUsable(): void {
    this.#journal.checkUsable();
  }

  put(resource: string, stored: StoredObject): void {
    this.#journal.append(encodePut(resource, stored));
  }

  delete(resource: string, key: string, revision: number): void {
    this.#journal.append(encodeRecord(["delete", revision, resource, key]));
  }

  get isFlushed(): boolean {
    return this.#journal.isFlushed;
  }

  flushed(): Promise<void> {
    return this.#journal.flushed();
  }
}

/** A record like any other; its object is joined in from the text that answers use as well. */
function encodePut(resource: string, stored: StoredObject): string {
  const { revision, key } = stored;
  return `["put",${revision},${JSON.stringify(resource)},${JSON.stringify(key)},${stored.storageJson()}]`;
}

function* encodeState(
  revision: number,
  entries: readonly (readonly [resource: string, stored: StoredObject])[],
  notes: readonly (readonly [name: string, value: unknown])[],
): Generator<string> {
  yield encodeRecord(["revision", revision]);
  for (const [name, value] of notes) yield encodeRecord(["note", name, value]);
  for (const [resource, stored] of entries) yield encodePut(resource, stored);
}

function replay(records: readonly JournalRecord[]): RestoredState & { readonly notes: Map<string, unknown> } {
  const objects = new Map<string, Map<string, StoredObject>>();
  const notes = new Map<string, unknown>();
  let revision = 1;
  for (const record of records) {
    switch (record[0]) {
      case "put": {
        const [, at, resource, key, object] = record;
        revision = Math.max(revision, at);
        tableOf(objects, resource).set(key, new StoredObject(key, object as KubeObject, at));
        break;
      }
      case "delete":
        revision = Math.max(revision, record[1]);
        objects.get(record[2])?.delete(record[3]);
        break;
      case "revision":
        revision = Math.max(revision, record[1]);
        break;
      case "note":
        notes.set(record[1], record[2]);
    }
  }
  return { objects, notes, revision };
}

function tableOf(objects: Map<string, Map<string, StoredObject>>, resource: string): Map<string, StoredObject> {
  let table = objects.get(resource);
  if (table === undefined) {
    table = new Map();
    objects.set(resource, table);
  }
  return table;
}

async function readIfAny(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

async function explain<T>(dir: string, verb: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof InferiumError) throw cause;
    throw new InferiumError(
      "DataDirUnusable",
      `the data directory ${dir} cannot be ${verb} (${describeError(cause)}): give a directory that this user may write, or change its rights.`,
      { disposition: "fatal", evidence: { dir } },
    );
  }
}
