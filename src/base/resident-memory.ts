/** Memory that a process holds, as the kernel counts it. For whoever bounds a child process. Effects: reads /proc. */
import { readFile } from "node:fs/promises";

/** 0 where it cannot be told: the process is gone, or the system is not Linux. */
export async function readResidentBytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
}
