/**
 * The newest final batch, as the chain says and our records know it: what it credits can be claimed, and what it debits can
 * be proven. Read again every few seconds by whoever runs it.
 */
import type { BatchBook, BatchRecord } from "./batch-book.ts";
import type { ChainLink } from "./chain-link.ts";

export class FinalBatch {
  readonly #book: BatchBook;
  readonly #link: ChainLink;
  #record: BatchRecord | undefined;

  constructor(book: BatchBook, link: ChainLink) {
    this.#book = book;
    this.#link = link;
  }

  /** Undefined before there is one, or where its record is no longer kept. */
  get record(): BatchRecord | undefined {
    return this.#record;
  }

  /** True where another batch is the final one now. @throws InferiumError where the chain is away */
  async refresh(): Promise<boolean> {
    const { client } = this.#link;
    const [headerHash, candidate] = await Promise.all([client.finalHeader(), client.candidateHeader()]);
    this.#book.pin([headerHash, candidate]);
    if (this.#record?.headerHash === headerHash) return false;
    for (const sequence of this.#book.keptFrom(1).toReversed()) {
      const record = await this.#book.read(sequence);
      if (record?.headerHash !== headerHash) continue;
      this.#record = record;
      return true;
    }
    return false;
  }
}
