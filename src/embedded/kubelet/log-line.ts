/**
 * The lines of a container's log file, in the format of the Kubernetes CRI: `TIME STREAM TAG TEXT`, where TAG is F for a
 * whole line and P for a part whose continuation follows. Pure.
 */
export type LogStream = "stdout" | "stderr";

export interface LogEntry {
  /** RFC 3339 with nine digits. */
  readonly time: string;
  readonly stream: LogStream;
  readonly isPartial: boolean;
  readonly text: string;
}

/** Longer lines are cut into parts, so that a program that never ends a line cannot fill the memory. */
export const maxLineBytes = 16_384;

export function formatLogEntry(entry: LogEntry): string {
  return `${entry.time} ${entry.stream} ${entry.isPartial ? "P" : "F"} ${entry.text}\n`;
}

export function parseLogEntry(line: string): LogEntry | undefined {
  const match = /^(\S+) (stdout|stderr) ([PF]) (.*)$/s.exec(line);
  if (match === null) return undefined;
  return { time: match[1] ?? "", stream: match[2] as LogStream, isPartial: match[3] === "P", text: match[4] ?? "" };
}

/** What `kubectl logs` prints for the entry. */
export function renderLogEntry(entry: LogEntry, withTimestamp: boolean): string {
  return `${withTimestamp ? `${entry.time} ` : ""}${entry.text}${entry.isPartial ? "" : "\n"}`;
}

export function formatLogTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "000000Z");
}

/** Cuts a byte stream into entries. Bytes are split before they are decoded, so that no character is torn. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** @returns texts of the lines that `chunk` completes, and of the parts that are too long to keep */
  push(chunk: Buffer): readonly { readonly text: string; readonly isPartial: boolean }[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const pieces: { text: string; isPartial: boolean }[] = [];
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(0x0a, start);
      const stop = end < 0 ? bytes.length : end;
      while (stop - start > maxLineBytes) {
        pieces.push({ text: bytes.toString("utf8", start, start + maxLineBytes), isPartial: true });
        start += maxLineBytes;
      }
      if (end < 0) break;
      pieces.push({ text: bytes.toString("utf8", start, end), isPartial: false });
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    return pieces;
  }

  /** The last line, when the stream ended without a newline. */
  flush(): readonly { readonly text: string; readonly isPartial: boolean }[] {
    if (this.#rest.length === 0) return [];
    const text = this.#rest.toString("utf8");
    this.#rest = Buffer.alloc(0);
    return [{ text, isPartial: true }];
  }
}
