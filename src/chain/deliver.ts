/** Brings one journalled transaction onto the chain: broadcasts its bytes until it is mined, or can never be. */
import type { Provider, Signer } from "ethers";
import { type BackoffOptions, computeBackoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import type { JournalEntry, JournalOutcome } from "./journal.ts";
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

export type Delivery =
  | { readonly status: "confirmed"; readonly outcome: JournalOutcome }
  | { readonly status: "reverted"; readonly outcome: JournalOutcome }
  /** Another transaction of the account was mined with this nonce. */
  | { readonly status: "superseded" };

const polling: BackoffOptions = { initialMs: 10, maxMs: 1_000, factor: 1.6 };

/** @throws InferiumError TransactionTimeout: it may still be mined, and the same bytes may be broadcast again */
export async function deliver(entry: JournalEntry, endpoint: Endpoint): Promise<Delivery> {
  const provider = requireProvider(endpoint.signer);
  const deadline = endpoint.clock.monotonic() + endpoint.timeoutMs;
  let lastError: unknown;
  for (let attempt = 1; ; attempt++) {
    try {
      const delivery = await tryOnce(entry, endpoint, provider);
      if (delivery !== undefined) return delivery;
    } catch (error) {
      // The endpoint is away or refuses for now; the deadline decides for how long that is borne.
      lastError = error;
    }
    if (endpoint.clock.monotonic() >= deadline) throw buildTimeout(entry, endpoint, lastError);
    await endpoint.clock.sleep(computeBackoffMs(attempt, polling), endpoint.signal);
  }
}

async function tryOnce(entry: JournalEntry, endpoint: Endpoint, provider: Provider): Promise<Delivery | undefined> {
  // The nonce is read first: a transaction mined in between is then seen by its receipt, never mistaken for another's.
  const usedNonces = await provider.getTransactionCount(entry.from, "latest");
  const receipt = await provider.getTransactionReceipt(entry.txHash);
  if (receipt === null) {
    if (usedNonces > entry.nonce) return { status: "superseded" };
    await broadcast(entry, provider);
    return undefined;
  }
  if (!(await isDeepEnough(receipt.blockNumber, endpoint.confirmations, provider))) return undefined;
  const { hash, blockNumber, gasUsed } = receipt;
  const outcome = { txHash: hash, blockNumber, gasUsed: gasUsed.toString() };
  return { status: receipt.status === 1 ? "confirmed" : "reverted", outcome };
}

async function isDeepEnough(blockNumber: number, confirmations: number, provider: Provider): Promise<boolean> {
  if (confirmations <= 1) return true;
  return (await provider.getBlockNumber()) - blockNumber + 1 >= confirmations;
}

async function broadcast(entry: JournalEntry, provider: Provider): Promise<void> {
  try {
    await provider.broadcastTransaction(entry.rawTransaction);
  } catch (error) {
    // The node has it already, or has just mined it: the next look at the receipt tells.
    if (!/already known|known transaction|already imported|nonce too low|nonce has already/i.test(describeError(error)))
      throw error;
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
