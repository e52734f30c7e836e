/**
 * Which attempts this key has signed a receipt for. Two receipts for one attempt are a contradiction that costs the whole
 * bond, and times alone make two runs differ; so whoever asks for the same attempt again, by mistake or by design, gets
 * no second one. A file of lines, synced before the signature leaves this process; the last two files are kept.
 */
import { type FileHandle, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { ensureFolder, readIfThere, unwritable } from "../pool/durable-file.ts";

export interface SignedAttempts {
  has(taskId: string, attempt: number): boolean;
  /** False where it was there already: then nothing may be signed. Durable when it resolves. @throws InferiumError StateUnwritable */
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
  const file = await open(path, "a", 0o600).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
  const isCutOff = text !== undefined && text !== "" && !text.endsWith("\n");
  const state: State = { older, newer, file, isCutOff };
  // One line after another: a rotation in the middle of a write would lose it.
  let tail: Promise<unknown> = Promise.resolve();

  async function append(key: string): Promise<void> {
    try {
      if (state.newer.size > maxPerFile) await rotate(state, path);
      const { isCutOff } = state;
      // Until it is all there, and where the disk takes a part only.
      state.isCutOff = true;
      await state.file.appendFile(`${isCutOff ? "\n" : ""}${key}\n`);
      state.isCutOff = false;
      await state.file.datasync();
    } catch (cause) {
      throw unwritable(path, cause);
    }
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
  /** Its last line may lack its end, by a crash or a full disk, and must not be glued to the next one. */
  isCutOff: boolean;
}

/** The new file is there before the old one is touched: where the disk has no room for it, all stays as it was. */
async function rotate(state: State, path: string): Promise<void> {
  const next = await open(`${path}.next`, "a", 0o600);
  await rename(path, `${path}.1`);
  await rename(`${path}.next`, path);
  await state.file.close();
  state.older = state.newer;
  state.newer = new Set();
  state.file = next;
  state.isCutOff = false;
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
