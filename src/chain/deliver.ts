/**
 * Brings one journalled transaction onto the chain: broadcasts its bytes until one of its forms is mined and confirmed, or
 * none can ever be. Says when it gets nowhere, so that the outbox can raise the fee or close a gap before it.
 */
import type { Provider, Signer, TransactionReceipt } from "ethers";
import { type BackoffOptions, computeBackoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import type { JournalEntry, JournalOutcome } from "./journal.ts";
import { isUncontested } from "./provider.ts";
import { describeRpcError } from "./revert.ts";
import { requireProvider } from "./send-batch.ts";

export interface Endpoint {
  readonly signer: Signer;
  /** Blocks that must hold the transaction; 1 is the first. */
  readonly confirmations: number;
  /** Until it is mined and confirmed. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

export interface DeliverOptions extends Endpoint {
  /** Monotonic time at which to give up. */
  readonly deadlineMs: number;
  /** Without being mined for so long, it is slow. */
  readonly patienceMs: number;
  /** The bytes were given to the endpoint. */
  readonly onBroadcast: () => Promise<void> | void;
}

export type Delivery =
  | { readonly status: "confirmed"; readonly outcome: JournalOutcome }
  | { readonly status: "reverted"; readonly outcome: JournalOutcome }
  /** Another transaction of the account was mined with this nonce. */
  | { readonly status: "superseded" }
  /** Nobody mines it at this fee, or the endpoint does not take it for its fee. */
  | { readonly status: "slow" }
  /** It cannot be mined before another transaction with this nonce, which is nowhere to be seen. */
  | { readonly status: "gap"; readonly nonce: number };

const polling: BackoffOptions = { initialMs: 10, maxMs: 1_000, factor: 1.6 };
/** An endpoint that is behind others shows a used nonce before the transaction that used it: look more than once. */
const looksForSuperseded = 3;

interface Looks {
  superseded: number;
  readonly sinceMs: number;
}

/** @throws InferiumError TransactionTimeout: it may still be mined, and the same bytes may be broadcast again */
export async function deliver(entry: JournalEntry, options: DeliverOptions): Promise<Delivery> {
  const { clock, signer, deadlineMs } = options;
  const provider = requireProvider(signer);
  const looks: Looks = { superseded: 0, sinceMs: clock.monotonic() };
  let lastError: unknown;
  for (let attempt = 1; ; attempt++) {
    try {
      const delivery = await look(entry, options, { provider, looks });
      if (delivery !== undefined) return delivery;
      lastError = undefined;
    } catch (error) {
      // The endpoint is away or refuses for now; the deadline decides for how long that is borne.
      lastError = error;
    }
    if (clock.monotonic() >= deadlineMs) throw buildTimeout(entry, options, lastError);
    await clock.sleep(computeBackoffMs(attempt, polling), options.signal);
  }
}

async function look(
  entry: JournalEntry,
  options: DeliverOptions,
  { provider, looks }: { readonly provider: Provider; readonly looks: Looks },
): Promise<Delivery | undefined> {
  // The nonce is read first: a transaction mined in between is then seen by its receipt, never mistaken for another's.
  const usedNonces = await provider.getTransactionCount(entry.from, "latest");
  const receipt = await findReceipt(entry, provider);
  if (receipt !== undefined) {
    looks.superseded = 0;
    return (await isSettled(receipt, options, provider)) ? toDelivery(receipt) : undefined;
  }
  if (usedNonces > entry.nonce) {
    looks.superseded += 1;
    const isSure = looks.superseded >= looksForSuperseded && (await isUsedDeep(entry, options, provider));
    return isSure ? { status: "superseded" } : undefined;
  }
  looks.superseded = 0;
  const isTaken = await broadcast(entry, provider);
  await options.onBroadcast();
  if (isTaken && options.clock.monotonic() - looks.sinceMs < options.patienceMs) return undefined;
  return usedNonces < entry.nonce ? { status: "gap", nonce: usedNonces } : { status: "slow" };
}

/** Of whichever form was mined. */
async function findReceipt(entry: JournalEntry, provider: Provider): Promise<TransactionReceipt | undefined> {
  for (const { txHash } of [entry, ...(entry.replaced ?? []).toReversed()]) {
    const receipt = await provider.getTransactionReceipt(txHash);
    if (receipt !== null) return receipt;
  }
  return undefined;
}

async function isSettled(
  receipt: TransactionReceipt,
  { confirmations }: Endpoint,
  provider: Provider,
): Promise<boolean> {
  if (confirmations > 1 && (await provider.getBlockNumber()) - receipt.blockNumber + 1 < confirmations) return false;
  return isUncontested(provider, receipt.hash, receipt.blockHash);
}

/** As deep as a confirmation: what used the nonce may vanish with its block. */
async function isUsedDeep(entry: JournalEntry, { confirmations }: Endpoint, provider: Provider): Promise<boolean> {
  if (confirmations <= 1) return true;
  const block = Math.max(0, (await provider.getBlockNumber()) - confirmations + 1);
  return (await provider.getTransactionCount(entry.from, block)) > entry.nonce;
}

function toDelivery({ hash, blockNumber, gasUsed, status }: TransactionReceipt): Delivery {
  const outcome = { txHash: hash, blockNumber, gasUsed: gasUsed.toString() };
  return { status: status === 1 ? "confirmed" : "reverted", outcome };
}

/** The node has it already, or has just mined it: the next look at the receipt tells. */
const isKnown = /already known|known transaction|already imported|nonce too low|nonce has already/i;
/** The fee does not do: below the base fee, or below what replaces another transaction of the nonce. */
const isTooCheap = /underpriced|fee too low|less than block base fee|max fee per gas less/i;

/** False where the endpoint wants a higher fee. */
async function broadcast(entry: JournalEntry, provider: Provider): Promise<boolean> {
  try {
    await provider.broadcastTransaction(entry.rawTransaction);
    return true;
  } catch (error) {
    const text = describeError(error);
    if (isTooCheap.test(text)) return false;
    if (!isKnown.test(text)) throw error;
    return true;
  }
}

function buildTimeout(entry: JournalEntry, endpoint: Endpoint, lastError: unknown): InferiumError {
  const last = lastError === undefined ? "" : ` The last attempt failed: ${describeRpcError(lastError)}.`;
  return new InferiumError(
    "TransactionTimeout",
    `${entry.id}: transaction ${entry.txHash} was not confirmed within ${endpoint.timeoutMs} ms. ` +
      "It stays in the journal; submitting again broadcasts the same bytes." +
      last,
    { disposition: "retry" },
  );
}
