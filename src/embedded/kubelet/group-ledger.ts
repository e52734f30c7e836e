/**
 * The record, under a kubelet's root directory, of the process groups it has started: one file per group, named by pid
 * and holding the start time. The watchdog and the next start read it, so that no process outlives its kubelet. Every
 * process also inherits a variable that names the root directory, which finds those that left their group.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProcessesByVariable, isSameProcess, readStartTime } from "./proc-table.ts";

export const rootVariable = "INFERIUM_KUBELET_ROOT";

export interface GroupLedger {
  /** Synchronous, so that nothing can happen between the start of a group and its record. */
  record(pid: number): void;
  forget(pid: number): void;
  /** Kills whatever an earlier run left behind; answers how many groups and strays there were. */
  killLeftovers(): number;
}

export function groupsDirectory(rootDir: string): string {
  return join(rootDir, "groups");
}

export function openGroupLedger(rootDir: string): GroupLedger {
  const directory = groupsDirectory(rootDir);
  mkdirSync(directory, { recursive: true });
  const fileOf = (pid: number | string) => join(directory, String(pid));
  return {
    record: (pid) => writeFileSync(fileOf(pid), `${readStartTime(pid) ?? ""}\n`),
    forget: (pid) => rmSync(fileOf(pid), { force: true }),
    killLeftovers: () => {
      const groups = readdirSync(directory).filter((name) => /^\d+$/.test(name));
      const alive = groups.filter((pid) =>
        isSameProcess({ pid: Number(pid), startTime: readFileSync(fileOf(pid), "utf8").trim() }),
      );
      for (const pid of alive) signalGroup(Number(pid), "SIGKILL");
      for (const pid of groups) rmSync(fileOf(pid), { force: true });
      const strays = findProcessesByVariable(rootVariable, rootDir).filter((pid) => pid !== process.pid);
      for (const pid of strays) signalProcess(pid, "SIGKILL");
      return alive.length + strays.filter((pid) => !alive.includes(String(pid))).length;
    },
  };
}

/** False when the group is gone already. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  return signalProcess(-pid, signal);
}

function signalProcess(target: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}
