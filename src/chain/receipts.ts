/** Waits for a transaction to be mined, by polling: quick at first (a local chain answers at once), then every second. */
import type { Provider, TransactionReceipt } from "ethers";
import { computeBackoffMs } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly confirmations?: number;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

const polling = { initialMs: 10, maxMs: 1_000, factor: 1.6 };

/** The receipt, or undefined after the time-out. An endpoint that fails in between is asked again until then. */
export async function waitForReceipt(
  provider: Provider,
  txHash: string,
  options: WaitOptions,
): Promise<TransactionReceipt | undefined> {
  const clock = options.clock ?? systemClock;
  const deadline = clock.monotonic() + options.timeoutMs;
  for (let attempt = 1; ; attempt++) {
    const receipt = await readReceipt(provider, txHash, options.confirmations ?? 1);
    if (receipt !== undefined) return receipt;
    if (clock.monotonic() >= deadline) return undefined;
    await clock.sleep(computeBackoffMs(attempt, polling), options.signal);
  }
}

async function readReceipt(provider: Provider, txHash: string, confirmations: number) {
  try {
    const receipt = await provider.getTransactionReceipt(txHash);
    if (receipt === null) return undefined;
    if (confirmations <= 1) return receipt;
    const head = await provider.getBlockNumber();
    return head - receipt.blockNumber + 1 >= confirmations ? receipt : undefined;
  } catch {
    // The caller's deadline bounds how long an endpoint may be away; a lost answer is the same as none yet.
    return undefined;
  }
}
