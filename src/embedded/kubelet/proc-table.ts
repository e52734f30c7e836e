/**
 * Reads Linux's process table (/proc). A process is identified by its pid and its start time together, since pids are
 * reused. Effects: synchronous reads of small kernel files.
 */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, as /proc/PID/stat writes them. */
  readonly startTime: string;
}

/** `undefined` when there is no such process. */
export function readStartTime(pid: number): string | undefined {
  const stat = readKernelFile(`/proc/${pid}/stat`);
  // The command name is in parentheses and may hold spaces and parentheses: fields count from the last one.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

export function isSameProcess(identity: ProcessIdentity): boolean {
  return readStartTime(identity.pid) === identity.startTime;
}

/** Pids whose environment holds exactly `NAME=value`. A process of another user cannot be read and is not listed. */
export function findProcessesByVariable(name: string, value: string): readonly number[] {
  const entry = `${name}=${value}`;
  return readdirSync("/proc")
    .filter((file) => /^\d+$/.test(file))
    .filter((pid) => readKernelFile(`/proc/${pid}/environ`)?.split("\0").includes(entry))
    .map(Number);
}

function readKernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process ended meanwhile, or belongs to another user: for the callers both mean "not ours".
    return undefined;
  }
}
