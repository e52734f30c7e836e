/**
 * An operator in a process of its own, so that a benchmark's workers do not share its CPU: forked with its configuration as
 * the first message. Says where its pool API and its metrics are; answers `usage` with its CPU and memory, ends on `close`.
 */
import { createLogger } from "../../src/base/log.ts";
import type { OperatorConfig } from "../../src/operator/config.ts";
import { runOperator } from "../../src/operator/operator.ts";

export interface OperatorUsage {
  readonly cpuMicroseconds: number;
  readonly residentBytes: number;
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
  return { cpuMicroseconds: user + system, residentBytes: process.memoryUsage().rss };
}
