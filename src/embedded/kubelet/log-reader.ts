/**
 * Reads a container's log as `kubectl logs` asks for it: tail, since, timestamps, byte limit, follow across rotations.
 * Effects: reads files; a follower waits for appends until the run ends or its signal aborts.
 */
import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import type { LogFile } from "./log-file.ts";
import { LineSplitter, type LogEntry, parseLogEntry, renderLogEntry } from "./log-line.ts";

export interface LogQuery {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  /** Milliseconds since the epoch. */
  readonly sinceMs?: number;
  readonly limitBytes?: number;
}

/** Pieces of the answer's body. */
export async function* readLog(log: LogFile, query: LogQuery, signal: AbortSignal): AsyncGenerator<string> {
  let left = query.limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const entry of selectEntries(log, query, signal)) {
    const text = Buffer.from(renderLogEntry(entry, query.timestamps));
    if (text.length >= left) {
      yield text.toString("utf8", 0, left);
      return;
    }
    left -= text.length;
    yield text.toString("utf8");
  }
}

async function* selectEntries(log: LogFile, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogEntry> {
  const isRecent = (entry: LogEntry) => query.sinceMs === undefined || Date.parse(entry.time) >= query.sinceMs;
  const reader = await LogReader.open(log);
  try {
    const tail: LogEntry[] = [];
    for await (const entry of reader.drain()) {
      if (!isRecent(entry)) continue;
      if (query.tailLines === undefined) yield entry;
      else tail.push(entry);
      if (query.tailLines !== undefined && tail.length > query.tailLines) tail.shift();
    }
    yield* tail;
    if (!query.follow) return;
    for await (const entry of reader.follow(signal)) if (isRecent(entry)) yield entry;
  } finally {
    await reader.close();
  }
}

const chunkBytes = 64 * 1024;

class LogReader {
  readonly #log: LogFile;
  #handles: FileHandle[];
  #rotations: number;
  #splitter = new LineSplitter();

  private constructor(log: LogFile, handles: FileHandle[], rotations: number) {
    this.#log = log;
    this.#handles = handles;
    this.#rotations = rotations;
  }

  /** Both files are opened before either is read, so that a rotation meanwhile loses nothing. */
  static async open(log: LogFile): Promise<LogReader> {
    const rotations = log.rotations;
    const older = rotations > 0 ? [await open(`${log.path}.1`, "r")] : [];
    return new LogReader(log, [...older, await open(log.path, "r")], rotations);
  }

  async *drain(): AsyncGenerator<LogEntry> {
    for (;;) {
      const handle = this.#handles[0];
      if (handle === undefined) return;
      yield* this.#drainFile(handle);
      if (this.#handles.length === 1) return;
      this.#handles.shift();
      await handle.close();
    }
  }

  async *follow(signal: AbortSignal): AsyncGenerator<LogEntry> {
    for (;;) {
      const { version, ended, rotations } = this.#log;
      yield* this.drain();
      if (rotations > this.#rotations) {
        this.#rotations = rotations;
        this.#handles.push(await open(this.#log.path, "r"));
      } else if (ended) return;
      else if (this.#log.version === version) await once(this.#log.changes, "change", { signal });
    }
  }

  async close(): Promise<void> {
    for (const handle of this.#handles.splice(0)) await handle.close();
  }

  async *#drainFile(handle: FileHandle): AsyncGenerator<LogEntry> {
    const buffer = Buffer.alloc(chunkBytes);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes);
      if (bytesRead === 0) return;
      for (const { text } of this.#splitter.push(Buffer.from(buffer.subarray(0, bytesRead)))) {
        const entry = parseLogEntry(text);
        if (entry !== undefined) yield entry;
      }
    }
  }
}
