/**
 * Stage 7 after the chain has changed its mind: a reorganisation took settled batches away, or a proven fault rolled them
 * back. What the chain no longer has goes back to Certified and is settled again, byte for byte; where its epoch is over and
 * nobody takes its certificate any more, its tasks wait for a new batch. The settle stage asks before each of its steps.
 */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { LastBatch } from "../chain/client.ts";
import type { Settler } from "../chain/settler.ts";
import { type ApplyBatchOptions, unapplyBatch } from "./apply-batch.ts";
import type { BatchBook, BatchRecord } from "./batch-book.ts";
import type { ChainLink } from "./chain-link.ts";

export interface HealOptions extends ApplyBatchOptions {
  readonly book: BatchBook;
  readonly link: ChainLink;
  readonly settler: () => Promise<Settler>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const lookEveryMs = 2_000;
/** Endpoints differ for a moment: so many looks in a row must show that a batch is gone. */
const looksForLost = 2;

export class BatchHealer {
  readonly #options: HealOptions;
  #lookAtMs = Number.NEGATIVE_INFINITY;
  #looksLost = 0;

  constructor(options: HealOptions) {
    this.#options = options;
  }

  /** True where something was taken back, or may have to be: nothing new is begun then. */
  async heal(): Promise<boolean> {
    const { book, clock } = this.#options;
    if (this.#looksLost === 0 && clock.monotonic() - this.#lookAtMs < lookEveryMs) return false;
    const newest = await this.#newestSettled();
    if (newest === undefined) return false;
    this.#lookAtMs = clock.monotonic();
    const head = await this.#readHead(newest);
    if (head === undefined || !(await this.#isLost(head, newest))) {
      this.#looksLost = 0;
      return false;
    }
    this.#looksLost += 1;
    if (this.#looksLost < looksForLost) return true;
    this.#looksLost = 0;
    const lost = await this.#readLost(head, book.keptFrom(1));
    await this.#takeBack(lost);
    return true;
  }

  async #newestSettled(): Promise<BatchRecord | undefined> {
    const { last } = this.#options.book;
    if (last === undefined || last.outcome !== undefined) return last;
    return last.sequence > 1 ? this.#options.book.read(last.sequence - 1) : undefined;
  }

  /** Undefined where the endpoint has not come as far as the batch's block: then it cannot know. */
  async #readHead({ outcome }: BatchRecord): Promise<LastBatch | undefined> {
    const { client } = this.#options.link;
    if (outcome === undefined || (await client.blockNumber()) < outcome.blockNumber) return undefined;
    return client.lastBatch();
  }

  async #isLost(head: LastBatch, newest: BatchRecord): Promise<boolean> {
    if (head.sequence < BigInt(newest.sequence)) return true;
    // A later one of another header was settled on top: that is for the settler to say.
    return head.sequence === BigInt(newest.sequence) && head.headerHash !== newest.headerHash;
  }

  /** Ascending: all after the newest batch that the chain and we agree on. */
  async #readLost(head: LastBatch, kept: readonly number[]): Promise<BatchRecord[]> {
    const lost: BatchRecord[] = [];
    for (const sequence of kept.toReversed()) {
      const record = await this.#options.book.read(sequence);
      if (record === undefined || (record.state !== "Settled" && record.state !== "Applied")) continue;
      const isOnChain = head.sequence > BigInt(sequence) || head.headerHash === record.headerHash;
      if (isOnChain && head.sequence >= BigInt(sequence)) break;
      lost.unshift(record);
    }
    return lost;
  }

  async #takeBack(lost: readonly BatchRecord[]): Promise<void> {
    const { book, link, logger, settler } = this.#options;
    const [first] = lost;
    if (first === undefined) return;
    const isLive = await link.client.isLive(BigInt(first.body.data.header.epoch));
    const reason = isLive ? "Reorganised" : "RolledBack";
    for (const record of lost) {
      const message = `Batch ${record.sequence} is not on the chain any more; it ${isLive ? "is settled again" : "is made anew"}.`;
      logger.warn("a settled batch is gone from the chain", { batch: record.sequence, reason });
      if (isLive) await book.reopen(record);
      await unapplyBatch(this.#options, record, { reason, message });
    }
    if (!isLive) await book.dropAfter(first.sequence - 1);
    await (await settler()).recheck();
  }
}
