/** Seeds of the general simulation, spread over processes: most of a run is waiting, so there may be more than cores. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { ScenarioOptions, ScenarioReport } from "../scenario.ts";
import type { RunReport } from "./simulate.ts";

/** `numbers`: `seeds` from `seed` on, `tasks` in each, over `processes`. */
export async function runSeeds({ seed, numbers, timeoutMs, onProgress }: ScenarioOptions): Promise<ScenarioReport> {
  const began = performance.now();
  const { seeds = 1, tasks = 16, processes = 1 } = numbers;
  const all = Array.from({ length: seeds }, (_, index) => seed + index);
  const shares = Array.from({ length: Math.min(processes, seeds) }, (_, share) =>
    all.filter((_, index) => index % processes === share),
  );
  const reports: RunReport[] = [];
  const note = (report: RunReport) => {
    reports.push(report);
    for (const problem of report.problems) onProgress?.(`seed ${report.seed}: ${problem}`);
    if (reports.length % 10 === 0 || reports.length === seeds) onProgress?.(`${reports.length} of ${seeds} seeds`);
  };
  const ends = await Promise.all(shares.map((share) => runShare({ share, tasks, timeoutMs, note })));
  const sum = (key: Count) => reports.reduce((total, report) => total + report[key], 0);
  const problems = reports.flatMap((report) => report.problems.map((problem) => `seed ${report.seed}: ${problem}`));
  const faults: Record<string, number> = {};
  for (const report of reports)
    for (const [fault, count] of Object.entries(report.faults)) faults[fault] = (faults[fault] ?? 0) + count;
  const totals = {
    ...{ tasks: sum("tasks"), lost: sum("lost"), paidTwice: sum("paidTwice"), slashedWrongly: sum("slashedWrongly") },
    outcomes: {
      ...{ succeeded: sum("succeeded"), failed: sum("failed"), refused: sum("refused"), deleted: sum("deleted") },
    },
  };
  return {
    ...{ seed, seeds: reports.length, seconds: Math.round((performance.now() - began) / 1_000), faults },
    problems: [...ends.filter((end) => end !== undefined), ...problems],
    ...totals,
    table: [
      "OUTCOME     TASKS",
      ...Object.entries(totals.outcomes).map(([name, count]) => `${name.padEnd(12)}${count}`),
    ],
  };
}

type Count = Exclude<keyof RunReport, "problems" | "seed" | "seconds" | "faults">;

interface Share {
  readonly share: readonly number[];
  readonly tasks: number;
  readonly timeoutMs: number;
  readonly note: (report: RunReport) => void;
}

/** What is wrong with the process itself, if anything. */
async function runShare({ share, tasks, timeoutMs, note }: Share): Promise<string | undefined> {
  const script = new URL("seed-process.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, ...[tasks, ...share].map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: timeoutMs,
  });
  const exited = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)));
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    note(JSON.parse(line));
    count++;
  }
  const code = await exited;
  if (code === 0 && count === share.length) return undefined;
  return `process of seeds ${share.join(", ")} ended with ${code} after ${count} of ${share.length}`;
}
