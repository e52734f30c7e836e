/**
 * The tasks of all batches that this validator certified. Settling a task twice costs everybody who signed both batches its
 * whole bond, and the operator that asks for the second may not be told apart from an honest one: so a validator remembers.
 * One append-only file, a line for each batch, on the disk before the signature leaves. Called by certify-duty.ts.
 */
import { appendFile, open, truncate } from "node:fs/promises";
import { join } from "node:path";
import { InferiumError } from "../../base/errors.ts";
import { ensureFolder, readIfThere } from "../../pool/durable-file.ts";
import type { ProtocolDomain } from "../../protocol/typed-data.ts";

export interface SettledTasks {
  /** Whether the task is in a certified batch with a lower sequence. */
  isBefore(taskId: string, sequence: bigint): boolean;
  /** Durable when it resolves. @throws InferiumError StateUnwritable */
  add(sequence: bigint, taskIds: readonly string[]): Promise<void>;
}

interface Line {
  readonly sequence: string;
  readonly tasks: readonly string[];
}

/** @throws InferiumError StateUnreadable (fatal: signing without it could be settling twice) */
export async function openSettledTasks(stateDir: string, domain: ProtocolDomain): Promise<SettledTasks> {
  await ensureFolder(stateDir);
  const path = join(stateDir, `settled-${domain.chainId}-${domain.settlement.toLowerCase()}.jsonl`);
  const text = (await readIfThere(path)) ?? "";
  // What follows the last line's end was torn by a crash, before its signature left.
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole));
  const sequences = parse(whole, path);
  return {
    isBefore: (taskId, sequence) => (sequences.get(taskId) ?? sequence) < sequence,
    async add(sequence, tasks) {
      await append(path, `${JSON.stringify({ sequence: String(sequence), tasks })}\n`);
      note(sequences, sequence, tasks);
    },
  };
}

/** A batch that took the place of a lapsed one holds its tasks under the same number; the lowest is where it was first. */
function note(sequences: Map<string, bigint>, sequence: bigint, tasks: readonly string[]): void {
  for (const task of tasks) if (!sequences.has(task)) sequences.set(task, sequence);
}

async function append(path: string, line: string): Promise<void> {
  try {
    await appendFile(path, line, { mode: 0o600 });
    const file = await open(path, "r+");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new InferiumError("StateUnwritable", `${path} cannot be written; nothing is signed without it.`, { cause });
  }
}

function parse(text: string, path: string): Map<string, bigint> {
  const sequences = new Map<string, bigint>();
  for (const line of text.split("\n").slice(0, -1)) {
    try {
      const { sequence, tasks } = JSON.parse(line) as Line;
      note(sequences, BigInt(sequence), tasks);
    } catch (cause) {
      const message = `The record ${path} of settled tasks is damaged; restore it, for settling twice costs the bond.`;
      throw new InferiumError("StateUnreadable", message, { disposition: "fatal", cause });
    }
  }
  return sequences;
}
