/**
 * The one owner of the settler's nonce. A transaction is signed once, written to the journal, then broadcast until it is
 * mined; after a crash the same bytes go out again. What nobody mines is replaced by a dearer form with the same nonce, so
 * that nothing is ever done twice. One transaction is under way at a time: the contracts accept batches in order only.
 */
import type { Logger } from "../base/log.ts";
import { awaitDepth } from "./await-depth.ts";
import { type Delivery, deliver, type Endpoint } from "./deliver.ts";
import type { JournalEntry, JournalOutcome, JournalStore } from "./journal.ts";
import { JournalBook } from "./journal-book.ts";
import { Nonces } from "./nonces.ts";
import {
  buildConflict,
  buildFailed,
  buildFull,
  buildNonceTaken,
  buildStuck,
  buildWrongJournal,
} from "./outbox-errors.ts";
import { readChainId, readContent, type TransactionContent } from "./sign-transaction.ts";

/** `subject`: the same id with another one is refused. */
export type OutboxRequest = TransactionContent;

export interface TransactionOutcome {
  readonly txHash: string;
  readonly blockNumber: number;
  readonly gasUsed: bigint;
}

/** Between every two steps of a submission. For fault injection. */
export type OutboxStep =
  | "looked"
  | "signed"
  | "persisted"
  | "broadcast"
  | "mined"
  | "raised"
  | "raise-persisted"
  | "confirmed";

export interface OutboxOptions extends Endpoint {
  readonly store: JournalStore;
  readonly logger: Logger;
  /**
   * Looks on the chain for what the entry wants to achieve, whoever achieved it. Asked before signing, and where the
   * entry's own transaction reverted or lost its nonce.
   */
  readonly findEffect: (entry: Pick<JournalEntry, "id" | "subject" | "payload">) => Promise<JournalOutcome | undefined>;
  /** So long a transaction waits to be mined before its fee is raised. Default 30 s. */
  readonly patienceMs?: number;
  /** No fee is raised above this. Default 500 gwei. */
  readonly maxFeePerGasWei?: bigint;
  /** Throwing, or ending the process, stops the submission there, as a crash would. */
  readonly onStep?: ((step: OutboxStep, id: string) => Promise<void> | void) | undefined;
}

export interface Outbox {
  /**
   * Resolves once the effect is on the chain, at once where it already is. Calls queue up. What was confirmed before is
   * looked at again, and delivered again where a reorganisation took it back.
   * @throws InferiumError TransactionReverted (refused before anything was sent), TransactionFailed (mined without effect),
   * TransactionTimeout, NonceTaken, SubjectConflict, OutboxFull, RpcFailed
   */
  submit(request: OutboxRequest): Promise<TransactionOutcome>;
  /**
   * After a reorganisation: looks again at what was confirmed, and delivers again what is gone.
   * @param isWanted by id; what its submitter repeats by itself need not be looked at
   */
  recheck(isWanted: (id: string) => boolean): Promise<void>;
  /** Delivers what a former process left behind. @returns the ids that are still not confirmed */
  resume(): Promise<string[]>;
}

const maxQueued = 256;
/** Signings of one request, each after the nonce of the last was used by somebody else. */
const maxSignings = 8;
/** Mined without effect so often, though the estimate before had passed. The next estimate tells a refusal. */
const maxFailures = 3;

/** @throws InferiumError JournalCorrupt, WrongJournal */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const { signer } = options;
  const [from, chainId] = await Promise.all([signer.getAddress(), readChainId(signer)]);
  const book = await JournalBook.open(options.store);
  const foreign = book.findOfOtherChain(chainId);
  if (foreign !== undefined) throw buildWrongJournal(foreign, chainId);
  const outbox = new JournalledOutbox(options, book, from);
  await outbox.takeOver();
  return outbox;
}

class JournalledOutbox implements Outbox {
  readonly #options: OutboxOptions;
  readonly #book: JournalBook;
  readonly #nonces: Nonces;
  readonly #from: string;
  #tail: Promise<unknown> = Promise.resolve();
  #queued = 0;

  constructor(options: OutboxOptions, book: JournalBook, from: string) {
    this.#options = options;
    this.#book = book;
    this.#from = from;
    this.#nonces = new Nonces(options, book, (step, id) => this.#step(step, id));
  }

  /**
   * The settler's key was replaced: what the account before it had under way must not decide our nonces, and is signed anew when it is
   * submitted again. Should the old bytes be mined after all, the contracts refuse ours, and the effect is found.
   */
  async takeOver(): Promise<void> {
    for (const entry of this.#book.signed()) {
      if (entry.from === this.#from) continue;
      this.#options.logger.warn("another account takes over a transaction", { id: entry.id, before: entry.from });
      await this.#book.save({ ...entry, status: "superseded" });
    }
  }

  submit(request: OutboxRequest): Promise<TransactionOutcome> {
    return this.#enqueue(() => this.#submitNow(request));
  }

  resume(): Promise<string[]> {
    return this.#enqueue(() => this.#resumeNow());
  }

  async recheck(isWanted: (id: string) => boolean): Promise<void> {
    for (const entry of this.#book.confirmed()) if (isWanted(entry.id)) await this.submit(readContent(entry));
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    if (this.#queued >= maxQueued) return Promise.reject(buildFull(maxQueued));
    this.#queued += 1;
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined).finally(() => (this.#queued -= 1));
    return result;
  }

  async #submitNow(request: OutboxRequest): Promise<TransactionOutcome> {
    const deadlineMs = this.#options.clock.monotonic() + this.#options.timeoutMs;
    let known = this.#book.get(request.id);
    if (known !== undefined && known.subject !== request.subject) throw buildConflict(known, request);
    for (let signings = 0, failures = 0; ; ) {
      if (known?.status !== "signed") {
        // Whoever did it, it is done: a batch may be settled by anybody.
        const found = await this.#options.findEffect(request);
        if (found !== undefined) return toOutcome(await awaitDepth(request, found, { ...this.#options, deadlineMs }));
        await this.#step("looked", request.id);
        if (known?.status === "confirmed" && known.from === this.#from) {
          known = await this.#reopen(known);
        } else {
          known = await this.#nonces.sign(request);
          signings += 1;
        }
      }
      const outcome = await this.#bring(known, deadlineMs);
      if (outcome !== undefined) return outcome;
      if (signings >= maxSignings) throw buildNonceTaken(known, signings);
      known = this.#book.get(request.id);
      if (known?.status !== "reverted") continue;
      failures += 1;
      this.#options.logger.warn("a transaction was mined without effect", { id: known.id, txHash: known.txHash });
      if (failures >= maxFailures) throw buildFailed(known, failures);
    }
  }

  /** A reorganisation took it back: the same bytes go out again. */
  async #reopen(known: JournalEntry): Promise<JournalEntry> {
    const { outcome: _, ...rest } = known;
    const reopened: JournalEntry = { ...rest, status: "signed" };
    this.#options.logger.warn("a confirmed transaction is no longer on the chain", {
      id: known.id,
      txHash: known.txHash,
    });
    await this.#book.save(reopened);
    return reopened;
  }

  async #resumeNow(): Promise<string[]> {
    const open: string[] = [];
    for (const entry of this.#book.signed()) {
      const deadlineMs = this.#options.clock.monotonic() + this.#options.timeoutMs;
      try {
        await this.#bring(entry, deadlineMs);
        if (this.#book.get(entry.id)?.status === "reverted") open.push(entry.id);
      } catch (error) {
        open.push(entry.id);
        this.#options.logger.warn("journalled transaction is not confirmed", { id: entry.id, error });
      }
    }
    return open;
  }

  /** Undefined where its nonce was used by another transaction, or without effect, so that it has to be signed anew. */
  async #bring(first: JournalEntry, deadlineMs: number): Promise<TransactionOutcome | undefined> {
    let entry = first;
    for (;;) {
      const delivery = await this.#deliver(entry, deadlineMs);
      if (delivery.status !== "slow" && delivery.status !== "gap") return this.#conclude(entry, delivery, deadlineMs);
      if (this.#options.clock.monotonic() >= deadlineMs) throw buildStuck(entry);
      if (delivery.status === "slow") entry = await this.#nonces.raise(entry);
      else await this.#nonces.unblock(delivery.nonce, entry.nonce);
    }
  }

  #deliver(entry: JournalEntry, deadlineMs: number): Promise<Delivery> {
    const patienceMs = this.#options.patienceMs ?? 30_000;
    const onBroadcast = () => this.#step("broadcast", entry.id);
    return deliver(entry, { ...this.#options, deadlineMs, patienceMs, onBroadcast });
  }

  async #conclude(
    entry: JournalEntry,
    delivery: Exclude<Delivery, { status: "slow" | "gap" }>,
    deadlineMs: number,
  ): Promise<TransactionOutcome | undefined> {
    await this.#step("mined", entry.id);
    if (delivery.status === "confirmed") return this.#confirm(entry, delivery.outcome);
    const found = await this.#options.findEffect(entry);
    if (found !== undefined) {
      return this.#confirm(entry, await awaitDepth(entry, found, { ...this.#options, deadlineMs }));
    }
    await this.#book.save({ ...entry, status: delivery.status });
    return undefined;
  }

  async #confirm(entry: JournalEntry, outcome: JournalOutcome): Promise<TransactionOutcome> {
    await this.#book.save({ ...entry, status: "confirmed", outcome });
    await this.#nonces.closeFillers(entry.nonce);
    this.#book.forgetOldest();
    await this.#step("confirmed", entry.id);
    return toOutcome(outcome);
  }

  async #step(step: OutboxStep, id: string): Promise<void> {
    await this.#options.onStep?.(step, id);
  }
}

function toOutcome(outcome: JournalOutcome): TransactionOutcome {
  return { ...outcome, gasUsed: BigInt(outcome.gasUsed) };
}
