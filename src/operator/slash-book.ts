/**
 * Stage 8: slashes that are due. The evidence is written down before the task goes on to its next attempt, since after
 * that the task no longer holds the receipt. A slash stays on the books until the chain has it and the task says so.
 */
import type { SignedReceipt } from "../pool/wire.ts";
import type { ProvenVote } from "../protocol/verdict/evidence.ts";
import { RecordBook } from "./record-book.ts";
import type { RecordStore } from "./record-store.ts";

export interface Slash {
  /** Unique per attempt: part of the task's id and the attempt. */
  readonly name: string;
  /** namespace/name of the task. */
  readonly key: string;
  readonly uid: string;
  readonly attempt: number;
  readonly worker: string;
  readonly receipt: SignedReceipt;
  readonly validationId: string;
  /** Of the validators, decimal. */
  readonly epoch: string;
  readonly rejections: readonly ProvenVote[];
  readonly state: "Pending" | "Done" | "Refused";
  readonly txHash?: string;
}

export type SlashBook = RecordBook<Slash>;

export function createSlashBook(store: RecordStore): SlashBook {
  return new RecordBook({
    store,
    nameOf: ({ name }) => name,
    fieldsOf: ({ key, worker, attempt, state, txHash }) => ({
      task: key,
      worker,
      attempt: String(attempt),
      state,
      txHash,
    }),
  });
}

/** @param taskId 0x-hex of 32 bytes */
export function nameSlash(taskId: string, attempt: number): string {
  return `${taskId.slice(2, 34)}-${attempt}`;
}
