/**
 * What a validator signed under a 32-byte id, one durable file for each: on the disk before anyone hears of it, and never
 * two for one id, because the second would contradict the first and cost the bond. Votes and verdicts are kept in such.
 */
import { readdir, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import { ensureFolder, readIfThere, writeDurably } from "../pool/durable-file.ts";

export interface RecordFolder<T> {
  /** @throws InferiumError of an id that is none, StateUnreadable: signing afresh could contradict what was signed */
  find(id: string): Promise<T | undefined>;
  /** Durable when it resolves. @throws InferiumError where there is one, StateUnwritable */
  add(record: T): Promise<void>;
  /** Durable when it resolves. @throws InferiumError StateUnwritable */
  replace(record: T): Promise<void>;
  /** Nothing where there is none. */
  remove(id: string): Promise<void>;
  /** All that are whole: a damaged one tells nothing, and nobody signs on top of it. @throws where a file cannot be read now */
  readAll(): Promise<T[]>;
  prune(): Promise<void>;
}

export interface RecordFolderOptions<T> {
  readonly folder: string;
  readonly clock: Clock;
  readonly keepMs: number;
  readonly idOf: (record: T) => string;
  readonly isWhole: (record: T) => boolean;
  readonly refusals: {
    readonly invalidId: (shown: string) => InferiumError;
    readonly secondFor: (id: string) => InferiumError;
    /** What is said of a damaged one. */
    readonly damaged: (id: string) => string;
  };
}

/** @throws InferiumError StateUnwritable */
export async function openRecordFolder<T>(options: RecordFolderOptions<T>): Promise<RecordFolder<T>> {
  const { folder, clock, keepMs, idOf, refusals } = options;
  await ensureFolder(folder);
  /** The id becomes a file name, and it comes from outside. */
  const pathOf = (id: string) => {
    if (!/^0x[0-9a-f]{64}$/.test(id)) throw refusals.invalidId(String(id).slice(0, 80));
    return join(folder, `${id}.json`);
  };
  const write = (record: T) => writeDurably(pathOf(idOf(record)), JSON.stringify(record));
  async function find(id: string): Promise<T | undefined> {
    const text = await readIfThere(pathOf(id));
    return text === undefined ? undefined : parse(options, text, id);
  }
  return {
    find,
    async add(record) {
      if ((await find(idOf(record))) !== undefined) throw refusals.secondFor(idOf(record));
      await write(record);
    },
    replace: write,
    remove: async (id) => rm(pathOf(id), { force: true }),
    async readAll() {
      const records: T[] = [];
      for (const name of await readdir(folder)) {
        const text = await readIfThere(join(folder, name));
        const record = text === undefined ? undefined : parseIfWhole(options, text, name.replace(/\.json$/, ""));
        if (record !== undefined) records.push(record);
      }
      return records;
    },
    async prune() {
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        if (clock.now() - (await stat(path)).mtimeMs > keepMs) await unlink(path);
      }
    },
  };
}

function parseIfWhole<T>(options: RecordFolderOptions<T>, text: string, id: string): T | undefined {
  try {
    return parse(options, text, id);
  } catch {
    return undefined;
  }
}

function parse<T>({ idOf, isWhole, refusals }: RecordFolderOptions<T>, text: string, id: string): T {
  try {
    const record = JSON.parse(text) as T;
    if (idOf(record) === id && isWhole(record)) return record;
  } catch (cause) {
    throw new InferiumError("StateUnreadable", refusals.damaged(id), { cause });
  }
  throw new InferiumError("StateUnreadable", refusals.damaged(id));
}
