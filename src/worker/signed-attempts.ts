/**
 * Which attempts this key has signed a receipt for. Two receipts for one attempt are a contradiction that costs the whole
 * bond, and times alone make two runs differ; so whoever asks for the same attempt again, by mistake or by design, gets
 * no second one. A file of lines, synced before the signature leaves this process; the last two files are kept.
 */
import { type FileHandle, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { ensureFolder, readIfThere } from "../pool/durable-file.ts";

export interface SignedAttempts {
  has(taskId: string, attempt: number): boolean;
  /** False where it was there already: then nothing may be signed. Durable when it resolves. */
  add(taskId: string, attempt: number): Promise<boolean>;
  close(): Promise<void>;
}

/** @throws InferiumError StateUnwritable, StateUnreadable */
export async function openSignedAttempts(stateDir: string, maxPerFile = 100_000): Promise<SignedAttempts> {
  await ensureFolder(stateDir);
  const path = join(stateDir, "signed-attempts.log");
  const older = new Set(readLines(await readIfThere(`${path}.1`)));
  const text = await readIfThere(path);
  const newer = new Set(readLines(text));
  const state = { older, newer, file: await open(path, "a", 0o600) };
  // A line that a crash cut off must not be glued to the next one.
  if (text !== undefined && !text.endsWith("\n")) await state.file.appendFile("\n");
  // One line after another: a rotation in the middle of a write would lose it.
  let tail: Promise<unknown> = Promise.resolve();

  async function append(key: string): Promise<void> {
    if (state.newer.size > maxPerFile) await rotate(state, path);
    await state.file.appendFile(`${key}\n`);
    await state.file.datasync();
  }

  return {
    has: (taskId, attempt) => isKnown(state, keyOf(taskId, attempt)),
    add(taskId, attempt) {
      const key = keyOf(taskId, attempt);
      if (isKnown(state, key)) return Promise.resolve(false);
      // Known from here on, so that a second call in between cannot pass.
      state.newer.add(key);
      const written = tail.then(() => append(key));
      tail = written.catch(() => undefined);
      return written.then(() => true);
    },
    close: async () => {
      await tail;
      await state.file.close();
    },
  };
}

interface State {
  older: Set<string>;
  newer: Set<string>;
  file: FileHandle;
}

async function rotate(state: State, path: string): Promise<void> {
  await state.file.close();
  await rename(path, `${path}.1`);
  state.older = state.newer;
  state.newer = new Set();
  state.file = await open(path, "a", 0o600);
}

function isKnown({ older, newer }: State, key: string): boolean {
  return newer.has(key) || older.has(key);
}

function keyOf(taskId: string, attempt: number): string {
  return `${taskId.toLowerCase()} ${attempt}`;
}

/** A line that a crash cut off was never followed by a signature. */
function readLines(text: string | undefined): string[] {
  return (text ?? "").split("\n").filter((line) => /^0x[0-9a-f]{64} [0-9]+$/.test(line));
}
