/**
 * An operator in a process of its own, so that a benchmark's workers do not share its CPU: forked with its configuration as
 * the first message. Says where its pool API and its metrics are; answers `usage` with its CPU and memory, ends on `close`.
 */
import { readFileSync } from "node:fs";
import { createLogger } from "../../src/base/log.ts";
import type { OperatorConfig } from "../../src/operator/config.ts";
import { runOperator } from "../../src/operator/operator.ts";

export interface OperatorUsage {
  readonly cpuMicroseconds: number;
  readonly residentBytes: number;
  /** Since its start; of Linux. */
  readonly peakResidentBytes: number | undefined;
}

const stopping = new AbortController();
let running: Promise<void> | undefined;
let metricsUrl = "";

process.on("message", (message: OperatorConfig | "usage" | "close") => {
  if (message === "usage") process.send?.(usage());
  else if (message === "close") {
    stopping.abort(new Error("the benchmark is over"));
    void running?.finally(() => process.disconnect());
  } else
    running = runOperator(message, {
      signal: stopping.signal,
      logger: createLogger({ level: "error" }),
      onMetrics: (url) => {
        metricsUrl = url;
      },
      onServing: (url) => process.send?.({ url, metricsUrl }),
    });
});

function usage(): OperatorUsage {
  const { user, system } = process.cpuUsage();
  return { cpuMicroseconds: user + system, residentBytes: process.memoryUsage().rss, peakResidentBytes: readPeak() };
}

/** Not that of `process.resourceUsage()`, which has its parent's in it. */
function readPeak(): number | undefined {
  if (process.platform !== "linux") return undefined;
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
}
