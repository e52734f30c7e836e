/**
 * The disputes that are going on, and this validator's part in each: as a juror it judges, commits and reveals; as the challenger,
 * and where those before it are silent as a juror, it moves the dispute on (draw, rule, execute). What is to be done next is read
 * from the chain each time (decideDisputeStep), so that a restart needs nothing but the verdict's record. Effects: transactions,
 * the records, re-executions, calls to the pool.
 */
import { randomBytes } from "node:crypto";
import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ChainEvent } from "../../chain/chain-event.ts";
import type { DisputeReader } from "../../chain/dispute-reader.ts";
import type { DisputePlace, DisputeSender } from "../../chain/dispute-sender.ts";
import type { PoolClient } from "../../pool/client.ts";
import type { JudgeItem } from "../../pool/duty.ts";
import {
  type ChainTime,
  computeDisputeId,
  computeJurorCommitment,
  type DisputeRuling,
  type DisputeStep,
  type DisputeView,
  decideDisputeStep,
} from "../../protocol/dispute.ts";
import type { ProtocolDomain } from "../../protocol/typed-data.ts";
import { digestReceipt } from "../check-receipt.ts";
import type { ValidatorMetrics } from "../metrics.ts";
import type { ResultFinding } from "./judge-result.ts";
import type { VerdictRecord, VerdictRecords } from "./verdict-record.ts";

export interface DeskOptions {
  readonly reader: Pick<
    DisputeReader,
    "dispute" | "jury" | "accused" | "parameters" | "hasCommitted" | "owedTo" | "now"
  >;
  readonly sender: DisputeSender;
  readonly pool: Pick<PoolClient, "item">;
  readonly judge: (item: JudgeItem, signal: AbortSignal) => Promise<ResultFinding>;
  readonly records: VerdictRecords;
  readonly domain: ProtocolDomain;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ValidatorMetrics | undefined;
  /** How often the chain is looked at. */
  readonly pollMs: number;
  /** How long each party waits for the one before it to move a dispute on. */
  readonly patienceMs: number;
  /** A dispute is over. */
  readonly onClosed: (closed: ClosedDispute) => void;
}

export interface ClosedDispute {
  readonly id: string;
  readonly ruling: DisputeRuling;
}

interface Known extends DisputePlace {
  readonly taskId: string;
  readonly attempt: number;
  readonly challenger: string;
  failures: number;
  /** Monotonic: not before. */
  retryAtMs: number;
  /** The step that is waited with, and since when. */
  due: { readonly step: DisputeStep; readonly sinceMs: number } | undefined;
  judging: boolean;
  askedForCommitment: boolean;
}

const retry = { initialMs: 500, maxMs: 60_000 };
/** A re-execution that takes longer is no verdict. */
const maxJudgeMs = 3_600_000;
/** Each takes a bond from its challenger, so that a flood is dear; what is more than this is left to other validators. */
const maxOpen = 1_024;

export class DisputeDesk {
  readonly #options: DeskOptions;
  readonly #known = new Map<string, Known>();
  #wake = Promise.withResolvers<void>();

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** Events may come more than once. */
  observe(event: ChainEvent): void {
    if (event.kind !== "Opened" || this.#known.has(event.dispute)) return;
    if (this.#known.size >= maxOpen) {
      this.#options.logger.warn("too many disputes at once, one is left out", { dispute: event.dispute });
      return;
    }
    const { dispute: id, taskId, attempt, challenger, blockNumber: fromBlock } = event;
    const calm = { failures: 0, retryAtMs: 0, due: undefined, judging: false, askedForCommitment: false };
    this.#known.set(id, { id, fromBlock, taskId, attempt, challenger, ...calm });
    this.#options.metrics?.openDisputes.set(this.#known.size);
    this.#wake.resolve();
  }

  /** The block from which on events must be read again after a restart; undefined where nothing is open. */
  get oldestBlock(): number | undefined {
    const blocks = [...this.#known.values()].map(({ fromBlock }) => fromBlock);
    return blocks.length === 0 ? undefined : Math.min(...blocks);
  }

  /** An open dispute in which all of these are accused over this result. */
  async findCovering(taskId: string, attempt: number, accused: readonly string[]): Promise<string | undefined> {
    for (const { id, ...known } of this.#known.values()) {
      if (known.taskId !== taskId || known.attempt !== attempt) continue;
      const named = await this.#options.reader.accused(id);
      if (accused.every((address) => named.includes(address))) return id;
    }
    return undefined;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, pollMs, reader, logger } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (this.#known.size > 0) await this.#round(await reader.now(), signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        logger.warn("disputes could not be looked at, trying again", { failures, error: describeError(error) });
      }
      const restMs = failures > 0 ? computeBackoffMs(failures, retry) : pollMs;
      await Promise.race([clock.sleep(restMs, signal).catch(() => undefined), this.#wake.promise]);
      this.#wake = Promise.withResolvers();
    }
  }

  async #round(now: ChainTime, signal: AbortSignal): Promise<void> {
    const { revealSeconds } = await this.#options.reader.parameters();
    for (const known of [...this.#known.values()]) {
      if (signal.aborted) return;
      if (this.#options.clock.monotonic() < known.retryAtMs) continue;
      try {
        await this.#advance(known, { now, revealSeconds }, signal);
      } catch (error) {
        if (!signal.aborted) this.#postpone(known, describeError(error));
      }
    }
  }

  async #advance(
    known: Known,
    { now, revealSeconds }: { readonly now: ChainTime; readonly revealSeconds: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { reader, records, sender } = this.#options;
    const view = await reader.dispute(known.id);
    const jury = view.state === "None" || view.state === "Drawing" ? [] : await reader.jury(known.id);
    const rank = jury.indexOf(sender.account);
    const record = rank < 0 ? undefined : await this.#findRecord(known, view, now);
    const vote = rank < 0 ? undefined : (record?.state ?? "Open");
    const step = decideDisputeStep({ dispute: view, jurors: jury.length, revealSeconds, vote, now });
    if (step === "Forget") return this.#close(known, view);
    if (step === "Judge") return this.#startJudging(known, view, { now, signal });
    if (step === "Draw" || step === "Rule" || step === "Execute") return this.#move(known, view, { step, rank });
    if (record === undefined || step === "Wait") return;
    if (step === "Commit") {
      await sender.commit(known, computeJurorCommitment(record));
      await records.advance(record, "Committed");
    } else {
      await sender.reveal(known, record);
      await records.advance(record, "Revealed");
    }
    this.#note(known, step);
  }

  /** A crash may have come between a commitment and its note; where the phase has passed since, the chain is asked once. */
  async #findRecord(known: Known, view: DisputeView, now: ChainTime): Promise<VerdictRecord | undefined> {
    const { reader, records, sender } = this.#options;
    const record = await records.find(known.id);
    const isOpen = view.state === "Committing" && now.timestamp <= view.deadline;
    if (record?.state !== "Judged" || isOpen || known.askedForCommitment) return record;
    const hasCommitted = await reader.hasCommitted(known.id, sender.account, known.fromBlock);
    known.askedForCommitment = true;
    if (!hasCommitted) return record;
    await records.advance(record, "Committed");
    return { ...record, state: "Committed" };
  }

  /** The challenger at once, then the jurors in the order of their draw: one is enough, and a second would pay for nothing. */
  async #move(
    known: Known,
    view: DisputeView,
    { step, rank }: { readonly step: "Draw" | "Rule" | "Execute"; readonly rank: number },
  ): Promise<void> {
    const { clock, sender, patienceMs } = this.#options;
    const isOwn = view.challenger === sender.account;
    if (!isOwn && rank < 0 && step !== "Draw") return;
    if (known.due?.step !== step) known.due = { step, sinceMs: clock.monotonic() };
    const turns = isOwn ? 0 : rank < 0 ? 2 : rank + 1;
    if (clock.monotonic() - known.due.sinceMs < turns * patienceMs) return;
    if (step === "Draw") await sender.draw(known, view.seedBlock);
    else if (step === "Rule") await sender.rule(known);
    else await sender.execute(known);
    this.#note(known, step);
  }

  #startJudging(known: Known, view: DisputeView, { now, signal }: { now: ChainTime; signal: AbortSignal }): void {
    if (known.judging || [...this.#known.values()].some(({ judging }) => judging)) return;
    known.judging = true;
    const leftMs = Math.max(1, Math.min(maxJudgeMs, (view.deadline - now.timestamp) * 1_000));
    void this.#judge(known, AbortSignal.any([signal, AbortSignal.timeout(leftMs)]))
      .catch((error: unknown) => {
        if (!signal.aborted) this.#postpone(known, describeError(error));
      })
      .finally(() => {
        known.judging = false;
        this.#wake.resolve();
      });
  }

  async #judge(known: Known, signal: AbortSignal): Promise<void> {
    const { pool, judge, records, sender } = this.#options;
    const { item } = await pool.item({ taskId: known.taskId, attempt: known.attempt }, signal);
    await this.#requireDisputed(known, item);
    const finding = await judge(item, signal);
    if (finding.verdict === "Unknown") throw new InferiumError("NoVerdict", `There is no verdict: ${finding.reason}.`);
    const salt = `0x${randomBytes(32).toString("hex")}`;
    await records.add({ id: known.id, juror: sender.account, verdict: finding.verdict, salt });
    this.#note(known, "Judge", finding);
  }

  /** The dispute's id is over the receipt, so that the pool cannot put another one before the jury. */
  async #requireDisputed({ id, challenger }: Known, item: JudgeItem): Promise<void> {
    const { reader, domain } = this.#options;
    if (computeDisputeId(digestReceipt(domain, item.receipt), challenger, await reader.accused(id)) === id) return;
    throw new InferiumError(
      "OtherReceipt",
      `The pool's receipt of the task is not the one that dispute ${id} is about.`,
    );
  }

  async #close(known: Known, { ruling, challenger, state }: DisputeView): Promise<void> {
    const { reader, sender, logger, metrics, onClosed } = this.#options;
    const isOwn = challenger === sender.account && state === "Closed";
    if (isOwn && (await reader.owedTo(sender.account)) > 0n) await sender.collect(known);
    this.#known.delete(known.id);
    metrics?.openDisputes.set(this.#known.size);
    logger.info("dispute closed", { dispute: known.id, ruling, task: known.taskId });
    onClosed({ id: known.id, ruling });
  }

  #postpone(known: Known, error: string): void {
    const { clock, logger, metrics } = this.#options;
    known.failures += 1;
    known.retryAtMs = clock.monotonic() + computeBackoffMs(known.failures, retry);
    metrics?.disputeSteps.inc({ step: "Failed" });
    logger.warn("a dispute's next step failed", { dispute: known.id, failures: known.failures, error });
  }

  #note(known: Known, step: DisputeStep, finding?: ResultFinding): void {
    known.failures = 0;
    known.due = undefined;
    this.#options.metrics?.disputeSteps.inc({ step });
    this.#options.logger.info("dispute moved on", { dispute: known.id, task: known.taskId, step, ...finding });
  }
}
