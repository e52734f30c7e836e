/**
 * What a container leaves as its last words: the end of its termination message file, or of its log where the policy
 * falls back to that after a failure. Called when a run has ended. Effects: reads two files.
 */
import { open } from "node:fs/promises";
import { isNotFound } from "./file-errors.ts";
import type { LogFile } from "./log-file.ts";
import { readLog } from "./log-reader.ts";

/** Bounds of Kubernetes. */
const maxMessageBytes = 4_096;
const maxLogBytes = 2_048;
const maxLogLines = 80;

export interface TerminationMessageInput {
  readonly path: string;
  readonly policy: string | undefined;
  readonly exitCode: number;
  readonly log: LogFile;
}

export async function readTerminationMessage(input: TerminationMessageInput): Promise<string> {
  const written = await readEnd(input.path);
  if (written !== "" || input.policy !== "FallbackToLogsOnError" || input.exitCode === 0) return written;
  const pieces: string[] = [];
  const query = { follow: false, timestamps: false, tailLines: maxLogLines };
  for await (const piece of readLog(input.log, query, new AbortController().signal)) pieces.push(piece);
  const text = Buffer.from(pieces.join(""));
  return text.subarray(Math.max(0, text.length - maxLogBytes)).toString("utf8");
}

async function readEnd(path: string): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const length = Math.min(size, maxMessageBytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isNotFound(error)) return "";
    throw error;
  }
}
