/**
 * One server per data directory: two would write over each other. The lock names a live process (pid and start time), so
 * that one that was killed leaves none behind. Effects: one file.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InferiumError } from "../../../base/errors.ts";

/** @returns the release. @throws InferiumError DataDirLocked */
export async function lockDataDir(dir: string): Promise<() => Promise<void>> {
  const path = join(dir, "lock");
  const mine = `${process.pid} ${await readStartTime(process.pid)}`;
  if (!(await tryWrite(path, mine))) {
    const holder = await readHolder(path);
    if (holder !== undefined) throw locked(dir, `process ${holder}`);
    await rm(path, { force: true });
    if (!(await tryWrite(path, mine))) throw locked(dir, "another process");
  }
  return () => rm(path, { force: true });
}

async function tryWrite(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** The pid of the process that holds the lock, if it still runs. */
async function readHolder(path: string): Promise<string | undefined> {
  const [pid = "", startTime = ""] = (await readFile(path, "utf8")).split(" ");
  if (!/^\d+$/.test(pid) || !isRunning(Number(pid))) return undefined;
  return (await readStartTime(Number(pid))) === startTime ? pid : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Pids are reused; with its start time a process is unmistakable. Empty where there is no /proc: then the pid alone counts. */
async function readStartTime(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}

function locked(dir: string, holder: string): InferiumError {
  return new InferiumError(
    "DataDirLocked",
    `the data directory ${dir} is in use by ${holder}: stop that server, or give this one a directory of its own.`,
    { disposition: "fatal", evidence: { dir } },
  );
}
