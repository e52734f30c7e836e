/** What a submission to the outbox can end with, as errors that say what to do. Pure. */
import { InferiumError } from "../base/errors.ts";
import type { JournalEntry } from "./journal.ts";
import type { TransactionContent } from "./sign-transaction.ts";

export function buildConflict(known: JournalEntry, request: TransactionContent): InferiumError {
  return new InferiumError(
    "SubjectConflict",
    `${request.id} was signed for ${known.subject}, and now asked for ${request.subject}. One number never stands for two: ` +
      "submit what was signed first.",
    { disposition: "fatal" },
  );
}

export function buildShallow(id: string, confirmations: number): InferiumError {
  const message = `${id} is on the chain, but not under ${confirmations} blocks yet. Submit again to wait on.`;
  return new InferiumError("TransactionTimeout", message, { disposition: "retry" });
}

export function buildNonceTaken(entry: JournalEntry, signings: number): InferiumError {
  const message =
    `${entry.id}: ${signings} nonces in a row, the last ${entry.nonce}, of ${entry.from} were used by other transactions. ` +
    "Nobody else may use the settler's key while it settles. Submit again.";
  return new InferiumError("NonceTaken", message, { disposition: "retry" });
}

/** Not a refusal: a refusal would have shown in the estimate before the next signature. */
export function buildFailed(entry: JournalEntry, times: number): InferiumError {
  const message =
    `${entry.id}: ${times} transactions, the last ${entry.txHash}, were mined and reverted, although each would have succeeded on ` +
    "the block before. Submit again; if it stays so, look at that transaction's trace.";
  return new InferiumError("TransactionFailed", message, { disposition: "retry" });
}

export function buildFull(queued: number): InferiumError {
  const message = `${queued} transactions already wait for the chain; try again when some are mined.`;
  return new InferiumError("OutboxFull", message, { disposition: "retry" });
}

export function buildWrongJournal(foreign: JournalEntry, chainId: number): InferiumError {
  return new InferiumError(
    "WrongJournal",
    `The journal holds transactions on chain ${foreign.chainId}, such as ${foreign.id}; this is chain ${chainId}. ` +
      "Use the journal that belongs to this chain, or correct the endpoint.",
    { disposition: "fatal" },
  );
}

export function buildStuck(entry: JournalEntry): InferiumError {
  const message =
    `${entry.id}: transaction ${entry.txHash} with nonce ${entry.nonce} is not mined at the fee that may be paid. ` +
    "It stays in the journal; submitting again goes on with it.";
  return new InferiumError("TransactionTimeout", message, { disposition: "retry" });
}
