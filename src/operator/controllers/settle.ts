/**
 * Stage 7, validated -> Settled, and 8, Rewarded. One batch at a time, each step durable before the next:
 * 0 heal: what the chain had and has no more is taken back first
 * 1 due: enough tasks, or the oldest has waited long enough
 * 2 build and persist the proposal with all its evidence
 * 3 ask the validators of the epoch, until a quorum has signed
 * 4 persist the certificate, settle through the outbox (which persists the transaction before it is broadcast)
 * 5 write Settled and Rewarded into every task
 * Whatever is found unfinished after a start goes on where it was.
 */
import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { buildCertificate } from "../../chain/certificate.ts";
import { hashHeader } from "../../chain/header.ts";
import type { Settler } from "../../chain/settler.ts";
import { readHeader } from "../../pool/batch-data.ts";
import { maxBatchMissed, maxBatchTasks, zeroHash } from "../../protocol/settlement.ts";
import { applyBatch } from "../apply-batch.ts";
import type { BatchBook, BatchRecord } from "../batch-book.ts";
import { buildBatch } from "../build-batch.ts";
import type { Certifier } from "../certifier.ts";
import { type ChainLink, isChainAway } from "../chain-link.ts";
import { BatchHealer } from "../heal-batches.ts";
import type { TaskEntry } from "../ledger.ts";
import { mapConcurrently } from "../map-concurrently.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { MissedBook } from "../missed-book.ts";
import { type CandidateSources, gatherCandidate, readPayouts } from "../settle-candidate.ts";
import type { TellTask } from "../task-events.ts";

export interface SettleOptions extends CandidateSources {
  readonly book: BatchBook;
  readonly certifier: Certifier;
  readonly missed: MissedBook;
  readonly link: ChainLink;
  readonly settler: () => Promise<Settler>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: OperatorMetrics;
  readonly tell: TellTask;
  readonly treasury: string;
  readonly batchMs: number;
  readonly batchSize: number;
  /** The chain credited somebody. */
  readonly onSettled: (record: BatchRecord) => Promise<void>;
  /** Between every two steps. For fault injection: ending the process here is a crash there. */
  readonly onStep?: ((step: SettleStep) => Promise<void> | void) | undefined;
}

export type SettleStep = "gathered" | "proposed" | "signed" | "certified" | "settled" | "written" | "applied";

const idleMs = 100;
const retry = { initialMs: 250, maxMs: 15_000 };
/** So long after its epoch was found live a batch's step does not ask again: steps that wait for signatures come every 100 ms. */
const liveMs = 1_000;
const writesAtOnce = 16;
const buriedBlocks = 12;

export class SettleStage {
  readonly #options: SettleOptions;
  /** Accepted tasks by key, with the monotonic time since when they wait. */
  readonly #waiting = new Map<string, number>();
  readonly #healer: BatchHealer;
  /** The batch and its state whose epoch was live then. */
  #live: { readonly batch: string; readonly atMs: number } | undefined;

  constructor(options: SettleOptions) {
    this.#options = options;
    this.#healer = new BatchHealer(options);
  }

  /** Keeps the list of what waits; called for every change of a task. */
  note(key: string, isWaiting: boolean): void {
    if (!isWaiting) this.#waiting.delete(key);
    else if (!this.#waiting.has(key)) this.#waiting.set(key, this.#options.clock.monotonic());
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, link, logger } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const worked = await this.#step();
        failures = 0;
        if (!worked) await clock.sleep(idleMs, signal).catch(() => undefined);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        if (isChainAway(error)) link.note(error);
        else logger.error("settling failed, trying again", { failures, error: describeError(error) });
        await clock.sleep(computeBackoffMs(failures, retry), signal).catch(() => undefined);
      }
    }
  }

  /** False where there is nothing to do but wait. */
  async #step(): Promise<boolean> {
    if (await this.#healer.heal()) return true;
    const { book } = this.#options;
    const open = await book.readOpen();
    if (open && (await this.#hasLapsed(open))) {
      // What came after it, before a reorganisation, stands on a header that will never be settled.
      await book.dropAfter(open.sequence);
      return this.#propose(await book.read(open.sequence - 1));
    }
    if (open?.state === "Proposed") return this.#certify(open);
    if (open?.state === "Certified") return this.#settle(open);
    if (open?.state === "Settled") return this.#apply(open);
    return this.#propose(open);
  }

  /**
   * Its epoch has ended, as after the removal of a validator, and no certificate of it is taken any more. Its tasks still
   * wait, so they go into another batch of the same number under the new epoch, where nobody signs twice.
   */
  async #hasLapsed({ state, sequence, headerHash, body }: BatchRecord): Promise<boolean> {
    if (state !== "Proposed" && state !== "Certified") return false;
    const { client } = this.#options.link;
    const batch = `${headerHash} ${state}`;
    const atMs = this.#options.clock.monotonic();
    if (this.#live?.batch === batch && atMs - this.#live.atMs < liveMs) return false;
    if (await client.isLive(BigInt(body.data.header.epoch))) {
      this.#live = { batch, atMs };
      return false;
    }
    // Settled while we looked away: then the settler finds it.
    if ((await client.lastBatch()).sequence >= BigInt(sequence)) return false;
    this.#options.certifier.close();
    return true;
  }

  async #propose(previous: BatchRecord | undefined): Promise<boolean> {
    if (!this.#isDue()) return false;
    const { book, link, clock, treasury, batchSize } = this.#options;
    await this.#checkContinuity(previous);
    const epoch = await link.client.epoch();
    if (previous && !(await this.#isBuried(previous, epoch))) return false;
    if (await this.#proposeAgain(previous, epoch)) return true;
    const keys = [...this.#waiting.keys()].slice(0, Math.min(batchSize, maxBatchTasks));
    const entries = keys.map((key) => this.#options.ledger.get(key)).filter((entry) => entry !== undefined);
    const [validators, blockTimeMs] = await Promise.all([link.client.validators(epoch), link.client.blockTimeMs()]);
    const members = new Set(validators.map((address) => address.toLowerCase()));
    const facts = { members, payoutOf: await readPayouts(link, entries) };
    const gather = (entry: TaskEntry) => gatherCandidate(this.#options, entry, facts);
    const gathered = await mapConcurrently(entries, writesAtOnce, gather);
    const candidates = gathered.filter((candidate) => candidate !== undefined);
    await this.#reached("gathered");
    const requesters = new Set(candidates.filter(({ order }) => order).map(({ task }) => task.requester));
    const spendableWei = new Map<string, bigint>();
    for (const requester of requesters) spendableWei.set(requester, await link.client.spendable(requester));
    const missed = this.#options.missed.listDue(maxBatchMissed).map(({ claim }) => claim);
    const planned = buildBatch({
      previous,
      epoch,
      // Validators sign nothing that seems to come from further ahead, and who has signed a header signs no other of its number:
      // one dated by a clock that is ahead would hold up all settlement until then.
      createdAtMs: Math.min(clock.now(), blockTimeMs),
      treasury,
      candidates,
      missed,
      spendableWei,
    });
    this.#postpone(keys, planned?.body.members.length ?? 0);
    if (!planned) return false;
    const sequence = Number(planned.batch.header.sequence);
    const headerHash = hashHeader(link.client.domain, planned.batch.header);
    await book.propose({ sequence, state: "Proposed", headerHash, body: planned.body, signatures: {} });
    await this.#reached("proposed");
    return true;
  }

  /**
   * The last batch of an epoch that is over could not be settled again after a reorganisation, and what validators had signed on
   * top of it under the new epoch would bind them to it: so it must lie deep before anything is put on top.
   */
  async #isBuried({ body, outcome }: BatchRecord, epoch: bigint): Promise<boolean> {
    if (BigInt(body.data.header.epoch) === epoch || outcome === undefined) return true;
    return (await this.#options.link.client.blockNumber()) - outcome.blockNumber >= buriedBlocks;
  }

  /** A reorganisation brought the epoch back, under which validators have signed for this number already. */
  async #proposeAgain(previous: BatchRecord | undefined, epoch: bigint): Promise<boolean> {
    const { book, logger } = this.#options;
    const before = await book.readLapsed((previous?.sequence ?? 0) + 1, epoch);
    if (before?.body.data.header.previousHash !== (previous?.headerHash ?? zeroHash)) return false;
    logger.info("a batch of an epoch that came back is taken up again", { batch: before.sequence, epoch });
    await book.propose({ ...before, state: "Proposed", signatures: {} });
    return true;
  }

  #isDue(): boolean {
    const [oldestMs] = this.#waiting.values();
    if (oldestMs === undefined) return false;
    return (
      this.#waiting.size >= this.#options.batchSize ||
      this.#options.clock.monotonic() - oldestMs >= this.#options.batchMs
    );
  }

  /** What could not go along waits for another turn, so that it never keeps the others from theirs. */
  #postpone(keys: readonly string[], taken: number): void {
    if (taken === keys.length) return;
    this.#options.logger.warn("accepted tasks wait for an order, a deposit or votes", { tasks: keys.length - taken });
    for (const key of keys) if (this.#waiting.delete(key)) this.#waiting.set(key, this.#options.clock.monotonic());
  }

  /** The chain and our records must be about the same last batch, or balances would start from the wrong place. */
  async #checkContinuity(previous: BatchRecord | undefined): Promise<void> {
    const onChain = await this.#options.link.client.lastBatch();
    if (onChain.sequence === BigInt(previous?.sequence ?? 0)) return;
    throw new InferiumError(
      "BatchRecordsMissing",
      `The chain's last batch is ${onChain.sequence} and the newest record here is ${previous?.sequence ?? 0}. ` +
        "Restore the ConfigMaps of the batches; nothing is settled until then.",
      { disposition: "retry" },
    );
  }

  async #certify(record: BatchRecord): Promise<boolean> {
    const { certifier, link, book, logger } = this.#options;
    if (!certifier.isOpen(record))
      certifier.open(record, await link.client.validators(BigInt(record.body.data.header.epoch)));
    const signatures = certifier.certificate;
    if (!signatures) return false;
    await this.#reached("signed");
    await book.advance(record, { state: "Certified", signatures: Object.fromEntries(signatures) });
    certifier.close();
    await this.#reached("certified");
    logger.info("batch certified", {
      batch: record.sequence,
      tasks: record.body.members.length,
      signatures: signatures.size,
    });
    return true;
  }

  async #settle(record: BatchRecord): Promise<boolean> {
    const { link, book, metrics, logger } = this.#options;
    const header = readHeader(record.body.data.header);
    const members = await link.client.validators(header.epoch);
    const certificate = buildCertificate(members, new Map(Object.entries(record.signatures)));
    const outcome = await (await this.#options.settler()).settle(header, certificate);
    const settled = await book.advance(record, { state: "Settled", outcome });
    await this.#reached("settled");
    metrics.batches.inc();
    metrics.batchGas.observe(Number(outcome.gasUsed));
    const { txHash, gasUsed } = outcome;
    logger.info("batch settled", { batch: record.sequence, tasks: record.body.members.length, txHash, gasUsed });
    await this.#options.onSettled(settled);
    return true;
  }

  async #apply(record: BatchRecord): Promise<boolean> {
    await applyBatch(this.#options, record);
    await this.#reached("written");
    await this.#options.book.advance(record, { state: "Applied" });
    await this.#reached("applied");
    return true;
  }

  async #reached(step: SettleStep): Promise<void> {
    await this.#options.onStep?.(step);
  }
}
