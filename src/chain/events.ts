/**
 * What happened on the chain, in order, from a block on: polled, since filters and sockets are lost without a word.
 * Delivery is at least once: an event whose handler fails comes again; the handler tells by `id`.
 */
import { type BackoffOptions, computeBackoffMs } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { buildLogFilter, type ChainEvent, decodeLog } from "./chain-event.ts";
import type { ChainClient } from "./client.ts";
import { maxLogBlocks, readLogs } from "./logs.ts";

export interface WatchOptions {
  readonly client: ChainClient;
  /** First block of interest; an event of it is delivered. */
  readonly fromBlock: number;
  readonly pollMs: number;
  /** Blocks that must hold an event before it is delivered; 1 is its own. */
  readonly confirmations: number;
  readonly onEvent: (event: ChainEvent) => Promise<void> | void;
  /** After all events of a range of blocks: what they have in common is read once. Where it fails the range is not over. */
  readonly onRange?: () => Promise<void>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

const retrying: BackoffOptions = { initialMs: 200, maxMs: 30_000 };

/** Runs until the signal is aborted, then resolves. Failures of the endpoint or the handler are retried for ever. */
export async function watchEvents(options: WatchOptions): Promise<void> {
  const clock = options.clock ?? systemClock;
  const cursor = new EventCursor(options);
  let failures = 0;
  while (!options.signal.aborted) {
    try {
      const caughtUp = await cursor.advance();
      failures = 0;
      if (caughtUp) await rest(clock, options.pollMs, options.signal);
    } catch (error) {
      failures += 1;
      options.logger.warn("chain events could not be read or handled, retrying", { failures, error });
      await rest(clock, computeBackoffMs(failures, retrying), options.signal);
    }
  }
}

class EventCursor {
  readonly #options: WatchOptions;
  #nextBlock: number;
  /** Of the events from `#nextBlock` on: handled, and not to be delivered again by this watch. */
  readonly #handled = new Set<string>();

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#nextBlock = options.fromBlock;
  }

  /** Delivers one range of blocks. @returns true when there was nothing more to read */
  async advance(): Promise<boolean> {
    const { client, confirmations } = this.#options;
    const safeBlock = (await client.blockNumber()) - confirmations + 1;
    if (safeBlock < this.#nextBlock) return true;
    const toBlock = Math.min(safeBlock, this.#nextBlock + maxLogBlocks - 1);
    const filter = buildLogFilter(client.addresses);
    const logs = await readLogs(client, { ...filter, fromBlock: this.#nextBlock, toBlock });
    for (const log of logs) await this.#deliver(decodeLog(client.addresses, log));
    await this.#options.onRange?.();
    this.#nextBlock = toBlock + 1;
    this.#handled.clear();
    return toBlock === safeBlock;
  }

  async #deliver(event: ChainEvent | undefined): Promise<void> {
    if (event === undefined || this.#handled.has(event.id) || this.#options.signal.aborted) return;
    await this.#options.onEvent(event);
    this.#handled.add(event.id);
  }
}

/** Ends early, and without an error, when the watch is stopped. */
async function rest(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, signal).catch((error) => {
    if (!signal.aborted) throw error;
  });
}
