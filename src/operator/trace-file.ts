/**
 * Records what happens to the pool, for `inferium replay`. Each term of leadership goes on where the one before ended, with a
 * new pool. Stops at a bound rather than fill a disk, and says so.
 */
import { createWriteStream } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { SharePolicies } from "../protocol/fair-share.ts";
import { formatTraceEvent, type PoolEvent, type TraceEvent } from "../protocol/trace.ts";

export interface TraceFileOptions {
  readonly path: string;
  readonly maxBytes: number;
  readonly policies: SharePolicies;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface TraceFile {
  readonly write: (event: PoolEvent) => void;
  readonly close: () => void;
}

export function openTraceFile({ path, maxBytes, policies, clock, logger }: TraceFileOptions): TraceFile {
  const stream = createWriteStream(path, { flags: "a", mode: 0o600 });
  let left = maxBytes;
  const close = () => {
    left = 0;
    stream.end();
  };
  stream.on("error", (error) => {
    left = 0;
    logger.warn("the trace cannot be written", { path, error: describeError(error) });
  });
  const write = (event: TraceEvent) => {
    if (left <= 0) return;
    const line = `${formatTraceEvent(event)}\n`;
    left -= line.length;
    if (left > 0) return void stream.write(line);
    logger.warn("the trace has reached its bound and ends", { path, maxBytes });
    close();
  };
  write({ op: "begin", version: 1, policies, atMs: clock.now() });
  return { write: (event) => write({ ...event, atMs: clock.now() }), close };
}
