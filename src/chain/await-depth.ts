/** Waits until what somebody else brought onto the chain has as many blocks on top of it as our own would need. */
import type { Endpoint } from "./deliver.ts";
import type { JournalEntry, JournalOutcome } from "./journal.ts";
import { buildShallow } from "./outbox-errors.ts";
import { requireProvider } from "./send-batch.ts";

type Wanted = Pick<JournalEntry, "id" | "subject" | "payload">;

export interface DepthOptions extends Endpoint {
  readonly findEffect: (entry: Wanted) => Promise<JournalOutcome | undefined>;
  /** Monotonic time at which to give up. */
  readonly deadlineMs: number;
}

const pollMs = 100;

/** @throws InferiumError TransactionTimeout; those of `findEffect` */
export async function awaitDepth(
  wanted: Wanted,
  found: JournalOutcome,
  options: DepthOptions,
): Promise<JournalOutcome> {
  const { clock, confirmations, findEffect, signal, signer, deadlineMs } = options;
  if (confirmations <= 1) return found;
  for (let seen: JournalOutcome | undefined = found; ; seen = await findEffect(wanted)) {
    const head = await requireProvider(signer).getBlockNumber();
    if (seen !== undefined && head - seen.blockNumber + 1 >= confirmations) return seen;
    if (clock.monotonic() >= deadlineMs) throw buildShallow(wanted.id, confirmations);
    await clock.sleep(pollMs, signal);
  }
}
