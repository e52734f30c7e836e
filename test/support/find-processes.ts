/** Processes of this machine that belong to a run, found by its folder in their command line or environment. */
import { readdir, readFile } from "node:fs/promises";

/** Command lines of processes that name the run's folder. */
export async function findProcesses(text: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(
    pids.map(async (pid) => {
      const cmdline = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      const environ = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      return cmdline.includes(text) || environ.includes(text) ? cmdline.replaceAll("\0", " ") : "";
    }),
  );
  return lines.filter((line) => line !== "");
}
