/**
 * Which checkpoints this launcher's pods have made, by task: a later try, also of another attempt or after a restart, goes on from
 * them. Only one's own are believed: the receipt will answer for every step before them. Effects: one file for each task.
 */
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, isDigest } from "../../base/digest.ts";
import { ensureFolder, readIfThere, writeDurably } from "../../pool/durable-file.ts";
import { digestTerms, type TrainingTerms } from "../../protocol/training.ts";

export interface TrainingKey {
  readonly taskId: string;
  readonly terms: TrainingTerms;
  /** Digest of the weights to begin with. */
  readonly initial: string;
}

export interface ProgressRecord {
  /** Digests of the checkpoints from the first one made on. */
  read(key: TrainingKey): Promise<Digest[]>;
  write(key: TrainingKey, checkpoints: readonly Digest[]): Promise<void>;
  remove(taskId: string): Promise<void>;
}

/** Of trainings that were given up. */
const maxAgeMs = 30 * 86_400_000;

/** @throws InferiumError StateUnwritable */
export async function openProgressRecord(stateDir: string, nowMs: number): Promise<ProgressRecord> {
  const folder = join(stateDir, "trainings");
  await ensureFolder(folder);
  await prune(folder, nowMs);
  const pathOf = (taskId: string) => join(folder, `${taskId.replace(/[^0-9a-zA-Z]/g, "")}.json`);
  return {
    async read(key) {
      const text = await readIfThere(pathOf(key.taskId));
      return text === undefined ? [] : parse(text, key);
    },
    write: (key, checkpoints) => writeDurably(pathOf(key.taskId), JSON.stringify({ ...identify(key), checkpoints })),
    remove: (taskId) => unlink(pathOf(taskId)).catch(ignoreMissing),
  };
}

function identify({ terms, initial }: TrainingKey) {
  return { terms: digestTerms(terms), initial, store: terms.checkpointStore };
}

/** What is about anything else, or was cut off, is worth nothing: the training begins anew. */
function parse(text: string, key: TrainingKey): Digest[] {
  try {
    const { checkpoints, ...about } = JSON.parse(text) as { checkpoints: unknown };
    if (JSON.stringify(about) !== JSON.stringify(identify(key)) || !Array.isArray(checkpoints)) return [];
    return checkpoints.every((one) => typeof one === "string" && isDigest(one)) ? checkpoints : [];
  } catch {
    return [];
  }
}

async function prune(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path);
    if (nowMs - mtimeMs > maxAgeMs) await unlink(path).catch(ignoreMissing);
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
