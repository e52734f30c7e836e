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

/** Where a batch stands in the chain of headers. */
export interface BatchPlace {
  readonly sequence: bigint;
  readonly headerHash: string;
  readonly previousHash: string;
}

/** A batch that is about to be signed. */
export interface Position extends Pick<BatchPlace, "sequence" | "previousHash"> {
  /** What others say, such as the chain: header hash by sequence of batches that it stands on. */
  readonly ancestors?: ReadonlyMap<bigint, string>;
}

export interface SettledTasks {
  /**
   * Whether the task is in a certified batch that this one stands on. A batch that lapsed, or was rolled back, and whose
   * number another one took, is none of those: its tasks may be settled again.
   */
  isBefore(taskId: string, batch: Position): boolean;
  /** Sequences of certified batches with these tasks of which it is not known whether this batch stands on them. */
  listUnknown(taskIds: readonly string[], batch: Position): bigint[];
  /** Durable when it resolves. @throws InferiumError StateUnwritable */
  add(batch: BatchPlace, taskIds: readonly string[]): Promise<void>;
}

interface Line {
  readonly sequence: string;
  /** Absent in lines of earlier versions: such a batch counts as settled. */
  readonly headerHash?: string;
  readonly previousHash?: string;
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
  const lineage = parse(whole, path);
  return {
    isBefore: (taskId, batch) => lineage.isBefore(taskId, batch),
    listUnknown: (taskIds, batch) => lineage.listUnknown(taskIds, batch),
    async add({ sequence, headerHash, previousHash }, tasks) {
      const line: Line = { sequence: String(sequence), headerHash, previousHash, tasks };
      await append(path, `${JSON.stringify(line)}\n`);
      lineage.note(line);
    },
  };
}

interface KnownBatch {
  readonly sequence: bigint;
  readonly headerHash: string | undefined;
  readonly previousHash: string | undefined;
}

class Lineage {
  readonly #byTask = new Map<string, KnownBatch[]>();
  readonly #byHash = new Map<string, KnownBatch>();

  note({ sequence, headerHash, previousHash, tasks }: Line): void {
    const batch: KnownBatch = { sequence: BigInt(sequence), headerHash, previousHash };
    if (headerHash !== undefined) this.#byHash.set(headerHash, batch);
    for (const task of tasks) this.#byTask.set(task, [...(this.#byTask.get(task) ?? []), batch]);
  }

  isBefore(taskId: string, batch: Position): boolean {
    return this.#holders(taskId, batch).some((holder) => {
      const ancestor = this.#findAncestor(batch, holder.sequence);
      // Not knowing what stands at its place, as after a gap, is no reason to believe that it was replaced.
      return ancestor === undefined || holder.headerHash === undefined || ancestor === holder.headerHash;
    });
  }

  listUnknown(taskIds: readonly string[], batch: Position): bigint[] {
    const holders = taskIds.flatMap((taskId) => this.#holders(taskId, batch));
    const sequences = new Set(holders.map(({ sequence }) => sequence));
    return [...sequences].filter((sequence) => this.#findAncestor(batch, sequence) === undefined);
  }

  #holders(taskId: string, { sequence }: Position): KnownBatch[] {
    return (this.#byTask.get(taskId) ?? []).filter((holder) => holder.sequence < sequence);
  }

  /** Header hash of the batch with this sequence that the given one stands on. */
  #findAncestor({ previousHash, ancestors, sequence: own }: Position, sequence: bigint): string | undefined {
    if (sequence === own - 1n) return previousHash;
    let batch = this.#byHash.get(previousHash);
    while (batch?.previousHash !== undefined && batch.sequence > sequence + 1n)
      batch = this.#byHash.get(batch.previousHash);
    return batch?.sequence === sequence + 1n ? batch.previousHash : ancestors?.get(sequence);
  }
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

function parse(text: string, path: string): Lineage {
  const lineage = new Lineage();
  for (const line of text.split("\n").slice(0, -1)) {
    try {
      lineage.note(JSON.parse(line) as Line);
    } catch (cause) {
      const message = `The record ${path} of settled tasks is damaged; restore it, for settling twice costs the bond.`;
      throw new InferiumError("StateUnreadable", message, { disposition: "fatal", cause });
    }
  }
  return lineage;
}
