/**
 * The one owner of the settler's nonce. A transaction is signed once, written to the journal, then broadcast until it is
 * mined; after a crash the same bytes go out again. So a lost broadcast is retried, and nothing is ever sent twice in two
 * forms. One transaction is under way at a time: the contracts accept batches in order only.
 */
import { keccak256, type Signer } from "ethers";
import { InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { type Delivery, deliver, type Endpoint } from "./deliver.ts";
import type { JournalEntry, JournalOutcome, JournalStore, JsonValue } from "./journal.ts";
import { describeRpcError, toChainError } from "./revert.ts";
import { readFees, requireProvider } from "./send-batch.ts";

export interface OutboxRequest {
  /** What it is for, such as `settle/12`. */
  readonly id: string;
  /** Hash of what is signed for; the same id with another subject is refused. */
  readonly subject: string;
  readonly payload: JsonValue;
  readonly to: string;
  readonly data: string;
}

export interface TransactionOutcome {
  readonly txHash: string;
  readonly blockNumber: number;
  readonly gasUsed: bigint;
}

/** Between every two steps of a submission, in order. For fault injection. */
export type OutboxStep = "signed" | "persisted" | "mined";

export interface OutboxOptions extends Endpoint {
  /** A local wallet connected to a provider; nobody else may use its account. */
  readonly signer: Signer;
  readonly store: JournalStore;
  readonly logger: Logger;
  /**
   * Looks on the chain for what the entry wants to achieve, whoever achieved it. Asked before signing, and where the
   * entry's own transaction reverted or lost its nonce.
   */
  readonly findEffect: (entry: Pick<JournalEntry, "id" | "subject" | "payload">) => Promise<JournalOutcome | undefined>;
  /** Throwing stops the submission there, as a crash would. */
  readonly onStep?: (step: OutboxStep, id: string) => void;
}

export interface Outbox {
  /**
   * Resolves once the effect is on the chain, at once where it already is. Calls queue up.
   * @throws InferiumError TransactionReverted, TransactionTimeout, NonceTaken, SubjectConflict, OutboxFull, RpcFailed
   */
  submit(request: OutboxRequest): Promise<TransactionOutcome>;
  /** Delivers what a former process left behind. @returns the ids that are still not confirmed */
  resume(): Promise<string[]>;
}

const maxQueued = 256;
const maxRemembered = 256;

/** @throws InferiumError JournalCorrupt, WrongJournal */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const entries = new Map((await options.store.load()).map((entry) => [entry.id, entry]));
  const outbox = new JournalledOutbox(options, entries);
  await outbox.checkOwner();
  return outbox;
}

class JournalledOutbox implements Outbox {
  readonly #options: OutboxOptions;
  readonly #entries: Map<string, JournalEntry>;
  #tail: Promise<unknown> = Promise.resolve();
  #queued = 0;

  constructor(options: OutboxOptions, entries: Map<string, JournalEntry>) {
    this.#options = options;
    this.#entries = entries;
  }

  /** A journal of another account or chain must not decide this one's nonces. */
  async checkOwner(): Promise<void> {
    const { signer } = this.#options;
    const [from, chainId] = await Promise.all([signer.getAddress(), readChainId(signer)]);
    const foreign = [...this.#entries.values()].find((entry) => entry.from !== from || entry.chainId !== chainId);
    if (foreign === undefined) return;
    throw new InferiumError(
      "WrongJournal",
      `The journal holds transactions of ${foreign.from} on chain ${foreign.chainId}; this settler is ${from} on chain ${chainId}. ` +
        "Use the journal that belongs to this key and chain.",
      { disposition: "fatal" },
    );
  }

  submit(request: OutboxRequest): Promise<TransactionOutcome> {
    return this.#enqueue(() => this.#submitNow(request));
  }

  resume(): Promise<string[]> {
    return this.#enqueue(() => this.#resumeNow());
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    if (this.#queued >= maxQueued) {
      const message = `${maxQueued} transactions already wait for the chain; try again when some are mined.`;
      return Promise.reject(new InferiumError("OutboxFull", message, { disposition: "retry" }));
    }
    this.#queued += 1;
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined).finally(() => (this.#queued -= 1));
    return result;
  }

  async #submitNow(request: OutboxRequest): Promise<TransactionOutcome> {
    const known = this.#entries.get(request.id);
    if (known !== undefined && known.subject !== request.subject) throw buildConflict(known, request);
    if (known?.outcome !== undefined && known.status === "confirmed") return toOutcome(known.outcome);
    if (known?.status === "signed") return this.#deliver(known);
    // Whoever did it, it is done: a batch may be settled by anybody.
    const found = await this.#options.findEffect(request);
    if (found !== undefined) return toOutcome(found);
    await this.#rebroadcastSigned();
    const entry = await this.#sign(request);
    this.#options.onStep?.("signed", entry.id);
    await this.#save(entry);
    this.#options.onStep?.("persisted", entry.id);
    return this.#deliver(entry);
  }

  async #resumeNow(): Promise<string[]> {
    const open: string[] = [];
    for (const entry of this.#signed()) {
      await this.#deliver(entry).catch((error) => {
        open.push(entry.id);
        this.#options.logger.warn("journalled transaction is not confirmed", { id: entry.id, error });
      });
    }
    return open;
  }

  async #deliver(entry: JournalEntry): Promise<TransactionOutcome> {
    const delivery = await deliver(entry, this.#options);
    this.#options.onStep?.("mined", entry.id);
    if (delivery.status === "confirmed") return this.#confirm(entry, delivery.outcome);
    const found = await this.#options.findEffect(entry);
    if (found !== undefined) return this.#confirm(entry, found);
    await this.#save({ ...entry, status: delivery.status });
    throw buildDeliveryError(entry, delivery);
  }

  async #confirm(entry: JournalEntry, outcome: JournalOutcome): Promise<TransactionOutcome> {
    await this.#save({ ...entry, status: "confirmed", outcome });
    this.#forgetOldest();
    return toOutcome(outcome);
  }

  /** What is confirmed is on the chain, where `findEffect` sees it: memory keeps only the latest. */
  #forgetOldest(): void {
    const confirmed = [...this.#entries.values()].filter(({ status }) => status === "confirmed");
    for (const { id } of confirmed.slice(0, -maxRemembered)) this.#entries.delete(id);
  }

  /** A nonce before ours that never reached the chain would keep ours from being mined. */
  async #rebroadcastSigned(): Promise<void> {
    const provider = requireProvider(this.#options.signer);
    for (const entry of this.#signed()) {
      await provider.broadcastTransaction(entry.rawTransaction).catch((error) => {
        this.#options.logger.debug("rebroadcast was not taken", { id: entry.id, error: describeRpcError(error) });
      });
    }
  }

  /** Nothing has happened yet when this fails. */
  async #sign(request: OutboxRequest): Promise<JournalEntry> {
    try {
      return await this.#buildEntry(request);
    } catch (error) {
      throw toChainError(request.id, error);
    }
  }

  async #buildEntry(request: OutboxRequest): Promise<JournalEntry> {
    const { signer } = this.#options;
    const [from, chainId, gasLimit] = await Promise.all([
      signer.getAddress(),
      readChainId(signer),
      estimateGas(signer, request),
    ]);
    const [fees, nonce] = await Promise.all([readFees(requireProvider(signer)), this.#nextNonce()]);
    const { to, data, id, subject, payload } = request;
    const rawTransaction = await signer.signTransaction({ ...fees, to, data, nonce, chainId, gasLimit });
    return {
      id,
      subject,
      payload,
      chainId,
      from,
      nonce,
      rawTransaction,
      txHash: keccak256(rawTransaction),
      status: "signed",
    };
  }

  async #nextNonce(): Promise<number> {
    const pending = await this.#options.signer.getNonce("pending");
    return this.#signed().reduce((next, entry) => Math.max(next, entry.nonce + 1), pending);
  }

  #signed(): JournalEntry[] {
    return [...this.#entries.values()].filter(({ status }) => status === "signed").sort((a, b) => a.nonce - b.nonce);
  }

  async #save(entry: JournalEntry): Promise<void> {
    await this.#options.store.save(entry);
    this.#entries.set(entry.id, entry);
  }
}

function toOutcome(outcome: JournalOutcome): TransactionOutcome {
  return { ...outcome, gasUsed: BigInt(outcome.gasUsed) };
}

async function readChainId(signer: Signer): Promise<number> {
  return Number((await requireProvider(signer).getNetwork()).chainId);
}

/** A quarter above the estimate: what is not used is not paid. What the contract would refuse fails here, unsigned. */
async function estimateGas(signer: Signer, { to, data }: OutboxRequest): Promise<bigint> {
  return ((await signer.estimateGas({ to, data })) * 5n) / 4n;
}

function buildConflict(known: JournalEntry, request: OutboxRequest): InferiumError {
  return new InferiumError(
    "SubjectConflict",
    `${request.id} was signed for ${known.subject}, and now asked for ${request.subject}. One number never stands for two: ` +
      "submit what was signed first.",
    { disposition: "fatal" },
  );
}

function buildDeliveryError(entry: JournalEntry, delivery: Delivery): InferiumError {
  if (delivery.status === "superseded") {
    const message = `${entry.id}: nonce ${entry.nonce} of ${entry.from} was used by another transaction. Submit again.`;
    return new InferiumError("NonceTaken", message, { disposition: "retry" });
  }
  const message = `${entry.id}: transaction ${entry.txHash} was mined and reverted. Submit again to learn the reason.`;
  return new InferiumError("TransactionReverted", message);
}
