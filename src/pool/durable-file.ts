/** Files that are there after a power cut, complete or not at all: written beside, synced, renamed, folder synced. */
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { InferiumError } from "../base/errors.ts";

/** @throws InferiumError StateUnwritable */
export async function writeDurably(path: string, text: string): Promise<void> {
  const temp = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temp, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temp, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    // What is half written takes room that a full disk has not.
    await rm(temp, { force: true }).catch(() => undefined);
    throw unwritable(path, cause);
  }
}

/** @throws InferiumError StateUnwritable */
export async function ensureFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
}

/** Undefined where there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new InferiumError("StateUnreadable", `The state file ${path} cannot be read.`, {
      disposition: "fatal",
      cause: error,
    });
  });
}

/** A rename lasts only once the folder that holds the name is on the disk. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export function unwritable(path: string, cause: unknown): InferiumError {
  const message = `The state ${path} cannot be written; give a writable folder with space.`;
  return new InferiumError("StateUnwritable", message, { disposition: "retry", cause });
}
