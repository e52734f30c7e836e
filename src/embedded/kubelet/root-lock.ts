/**
 * One kubelet per root directory: two would kill each other's processes as leftovers. The lock names a live process, so
 * that a crash leaves none behind. Effects: one file.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InferiumError } from "../../base/errors.ts";
import { isAlreadyThere, isNotFound } from "./file-errors.ts";
import { isSameProcess, readStartTime } from "./proc-table.ts";

/** @returns the release. @throws InferiumError RootInUse */
export async function lockRoot(rootDir: string): Promise<() => Promise<void>> {
  const path = join(rootDir, "kubelet.lock");
  await mkdir(rootDir, { recursive: true });
  const mine = `${process.pid} ${readStartTime(process.pid) ?? ""}`;
  if (!(await tryWrite(path, mine))) {
    await removeStale(path, rootDir);
    if (!(await tryWrite(path, mine))) throw inUse(rootDir, "another process");
  }
  return () => rm(path, { force: true });
}

async function tryWrite(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (isAlreadyThere(error)) return false;
    throw error;
  }
}

async function removeStale(path: string, rootDir: string): Promise<void> {
  const [pid, startTime] = (await readIfAny(path)).split(" ");
  if (startTime && isSameProcess({ pid: Number(pid), startTime })) throw inUse(rootDir, `process ${pid}`);
  await rm(path, { force: true });
}

async function readIfAny(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isNotFound(error)) return "";
    throw error;
  }
}

function inUse(rootDir: string, holder: string): InferiumError {
  return new InferiumError(
    "RootInUse",
    `${rootDir} is in use by a kubelet in ${holder}: stop that one, or give this one a directory of its own.`,
    { disposition: "fatal" },
  );
}
