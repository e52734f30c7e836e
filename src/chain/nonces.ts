/**
 * The nonces of the settler's account: which one a new transaction gets, what takes the place of one that nobody mines, and
 * what fills a gap. Everything is in the journal before it is broadcast. Called by the outbox alone.
 */
import type { JournalEntry } from "./journal.ts";
import type { JournalBook } from "./journal-book.ts";
import type { OutboxOptions, OutboxRequest, OutboxStep } from "./outbox.ts";
import { describeRpcError, toChainError } from "./revert.ts";
import { requireProvider } from "./send-batch.ts";
import { signDearer, signFiller, signNew } from "./sign-transaction.ts";

/** Nonces that are filled at once. */
const maxFillers = 16;
const defaultMaxFeePerGasWei = 500n * 10n ** 9n;
const stuckPollMs = 1_000;

export type ReachStep = (step: OutboxStep, id: string) => Promise<void>;

export class Nonces {
  readonly #options: OutboxOptions;
  readonly #book: JournalBook;
  readonly #reached: ReachStep;

  constructor(options: OutboxOptions, book: JournalBook, reached: ReachStep) {
    this.#options = options;
    this.#book = book;
    this.#reached = reached;
  }

  /** Signed under the next nonce, and in the journal. */
  async sign(request: OutboxRequest): Promise<JournalEntry> {
    await this.#rebroadcast();
    const entry = await this.#signNext(request);
    await this.#reached("signed", entry.id);
    await this.#book.save(entry);
    await this.#reached("persisted", entry.id);
    return entry;
  }

  /** Persisted before it is broadcast, with all the forms before it: any of them may be the one that is mined. */
  async raise(entry: JournalEntry): Promise<JournalEntry> {
    const { signer, logger, clock, signal } = this.#options;
    const dearer = await signDearer(signer, entry, this.#options.maxFeePerGasWei ?? defaultMaxFeePerGasWei);
    if (dearer === undefined) {
      logger.warn("a transaction pays the highest fee that is allowed, and is not mined", { id: entry.id });
      await clock.sleep(stuckPollMs, signal);
      return entry;
    }
    await this.#reached("raised", entry.id);
    await this.#book.save(dearer);
    await this.#reached("raise-persisted", entry.id);
    logger.info("fee raised", { id: entry.id, nonce: entry.nonce, txHash: dearer.txHash });
    return dearer;
  }

  /**
   * Nonces before ours that nothing seems to use: what we have there gets a higher fee, and where we have nothing a payment of
   * nothing takes the place, so that ours can be mined. If something of another's comes first, so much the better.
   */
  async unblock(first: number, end: number): Promise<void> {
    for (let nonce = first; nonce < Math.min(end, first + maxFillers); nonce++) {
      const ours = this.#book.signed().find((entry) => entry.nonce === nonce);
      if (ours !== undefined) {
        await this.raise(ours);
        continue;
      }
      const filler = await signFiller(this.#options.signer, nonce);
      this.#options.logger.warn("filling a gap in the nonces", { nonce, txHash: filler.txHash });
      await this.#book.save(filler);
    }
    await this.#rebroadcast();
  }

  /** What was mined after them shows that their nonces are used, by them or by others: it is all the same. */
  async closeFillers(nonce: number): Promise<void> {
    const fillers = this.#book.signed().filter((entry) => entry.id.startsWith("fill/") && entry.nonce < nonce);
    for (const filler of fillers) await this.#book.save({ ...filler, status: "superseded" });
  }

  /** A nonce before ours that never reached the chain would keep ours from being mined. */
  async #rebroadcast(): Promise<void> {
    const provider = requireProvider(this.#options.signer);
    for (const entry of this.#book.signed()) {
      await provider.broadcastTransaction(entry.rawTransaction).catch((error) => {
        this.#options.logger.debug("rebroadcast was not taken", { id: entry.id, error: describeRpcError(error) });
      });
    }
  }

  /** Nothing has happened yet when this fails. */
  async #signNext(request: OutboxRequest): Promise<JournalEntry> {
    const { signer } = this.#options;
    try {
      const pending = await signer.getNonce("pending");
      const nonce = this.#book.signed().reduce((next, entry) => Math.max(next, entry.nonce + 1), pending);
      return await signNew(signer, request, nonce);
    } catch (error) {
      throw toChainError(request.id, error);
    }
  }
}
