/**
 * Records what happens to the pool, for `inferium replay`. Each term of leadership goes on where the one before ended, with a
 * new pool. Stops at a bound rather than fill a disk, and says so.
 */
import { closeSync, createWriteStream, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
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
  dropCutOffLine(path, logger);
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

const pieceBytes = 64 * 1024;

/** What an operator was killed in the middle of writing would become the beginning of our first line, and make both unreadable. */
function dropCutOffLine(path: string, logger: Logger): void {
  let file: number | undefined;
  try {
    file = openSync(path, "r+");
    const { size } = fstatSync(file);
    const end = findLastEnd(file, size);
    if (end === size) return;
    ftruncateSync(file, end);
    logger.warn("the trace's last line was not written to its end and is dropped", { path, bytes: size - end });
  } catch (error) {
    // No file yet, or none that can be written: the stream's error says which.
    logger.debug("the trace is begun anew", { path, error: describeError(error) });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** @returns the offset behind the last line's end */
function findLastEnd(file: number, size: number): number {
  const piece = Buffer.alloc(pieceBytes);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - pieceBytes);
    const read = readSync(file, piece, 0, end - start, start);
    const at = piece.subarray(0, read).lastIndexOf("\n");
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}
