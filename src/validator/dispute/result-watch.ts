/**
 * Watches what is settled: picks some of the results that this validator had no vote on, runs them again, and disputes what is
 * wrong with a bond of its own. Results that fewer validators approved than usual are always picked. One result at a time, behind
 * the validator's duties. Effects: calls to the pool, re-executions, transactions.
 */

import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { loadArtifact } from "../../chain/artifacts.ts";
import type { ApprovedEvidence } from "../../chain/calls.ts";
import type { ChainEvent } from "../../chain/chain-event.ts";
import type { DisputeReader } from "../../chain/dispute-reader.ts";
import type { DisputeSender } from "../../chain/dispute-sender.ts";
import type { PoolClient } from "../../pool/client.ts";
import type { BatchTask, JudgeItem } from "../../pool/wire.ts";
import type { ProtocolDomain } from "../../protocol/typed-data.ts";
import { digestReceipt } from "../check-receipt.ts";
import type { ValidatorMetrics } from "../metrics.ts";
import type { ClosedDispute, DisputeDesk } from "./dispute-desk.ts";
import type { ResultFinding } from "./judge-result.ts";
import { isBatchOf, isPicked, type WatchRules } from "./pick-results.ts";

export interface WatchOptions {
  readonly reader: Pick<DisputeReader, "parameters">;
  readonly readBalance: (account: string) => Promise<bigint>;
  readonly sender: Pick<DisputeSender, "open" | "account">;
  readonly desk: Pick<DisputeDesk, "findCovering">;
  readonly pool: Pick<PoolClient, "batch" | "item">;
  readonly judge: (item: JudgeItem, signal: AbortSignal) => Promise<ResultFinding>;
  readonly domain: ProtocolDomain;
  readonly rules: WatchRules;
  /** Uniform in [0, 1): nobody may foresee what is picked. */
  readonly random: () => number;
  /** The longest wait before a dispute is opened, so that not all watchers do at once. */
  readonly spreadMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ValidatorMetrics | undefined;
}

interface SettledBatch {
  readonly sequence: bigint;
  readonly headerHash: string;
}

interface Suspect {
  readonly task: BatchTask;
  readonly epoch: bigint;
  readonly reason: string;
}

/** What waits to be looked at; the oldest go first where there are more, since their windows close first. */
const maxQueued = 256;
const maxCheckMs = 3_600_000;
const idleMs = 60_000;
/** Wrong results that are not disputed yet. */
const maxPursued = 256;
const pursuit = { initialMs: 60_000, maxMs: 3_600_000 };

export class ResultWatch {
  readonly #options: WatchOptions;
  readonly #queue: SettledBatch[] = [];
  /** Wrong results that somebody else's dispute is about, by its id. */
  readonly #held = new Map<string, Suspect>();
  #pursued = 0;
  #turn: Promise<void> = Promise.resolve();
  #isPoor = false;
  #wake = Promise.withResolvers<void>();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  observe(event: ChainEvent): void {
    if (event.kind !== "Settled" || this.#options.rules.rate === 0) return;
    this.#queue.push({ sequence: event.sequence, headerHash: event.headerHash });
    if (this.#queue.length > maxQueued) {
      this.#queue.shift();
      this.#options.metrics?.watchChecks.inc({ result: "Dropped" });
    }
    this.#wake.resolve();
  }

  /** Where another's dispute ended without an answer, our own finding is disputed after all. */
  onClosed({ id, ruling }: ClosedDispute, signal: AbortSignal): void {
    const suspect = this.#held.get(id);
    this.#held.delete(id);
    if (suspect === undefined || ruling === "Overturned" || ruling === "Upheld") return;
    this.#pursue(suspect, signal);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const batch = this.#queue.shift();
      if (batch === undefined) {
        await Promise.race([clock.sleep(idleMs, signal).catch(() => undefined), this.#wake.promise]);
        this.#wake = Promise.withResolvers();
        continue;
      }
      await this.#look(batch, signal).catch((error: unknown) => {
        if (signal.aborted) return;
        this.#options.metrics?.watchChecks.inc({ result: "Failed" });
        this.#options.logger.warn("a settled batch could not be watched", {
          batch: batch.sequence,
          error: describeError(error),
        });
      });
    }
  }

  async #look({ sequence, headerHash }: SettledBatch, signal: AbortSignal): Promise<void> {
    const { pool, domain, rules, random, sender, logger } = this.#options;
    const { batch } = await pool.batch({ sequence: String(sequence) }, signal);
    if (!isBatchOf(domain, batch, headerHash)) {
      logger.warn("the pool's record of a settled batch is not what the chain has", { batch: sequence });
      return;
    }
    const picked = batch.tasks.filter((task) => isPicked(task, { ...rules, account: sender.account }, random()));
    if (picked.length === 0 || !(await this.#canPay())) return;
    for (const task of picked) {
      if (signal.aborted) return;
      await this.#check(task, BigInt(batch.header.epoch), signal).catch((error: unknown) => this.#fail(task, error));
    }
  }

  /** Without the bond a finding is of no use to anybody. */
  async #canPay(): Promise<boolean> {
    const { reader, readBalance, sender, logger } = this.#options;
    const { bondWei } = await reader.parameters();
    const isPoor = (await readBalance(sender.account)) < bondWei;
    if (isPoor && !this.#isPoor)
      logger.warn("settled results are not watched: the account does not hold the bond of a dispute", {
        account: sender.account,
        bondWei,
      });
    this.#isPoor = isPoor;
    return !isPoor;
  }

  async #check(task: BatchTask, epoch: bigint, signal: AbortSignal): Promise<void> {
    const { pool, judge, domain, metrics, logger } = this.#options;
    const { item } = await pool.item({ taskId: task.taskId, attempt: task.attempt }, signal);
    const finding: ResultFinding =
      digestReceipt(domain, item.receipt) === task.receiptDigest
        ? await judge(item, AbortSignal.any([signal, AbortSignal.timeout(maxCheckMs)]))
        : { verdict: "Unknown", reason: "the pool's receipt is not the settled one" };
    metrics?.watchChecks.inc({ result: finding.verdict });
    const fields = { task: task.taskId, attempt: task.attempt, worker: task.worker, reason: finding.reason };
    if (finding.verdict === "Right") logger.debug("a settled result is right", fields);
    if (finding.verdict === "Unknown") logger.warn("a settled result could not be judged", fields);
    if (finding.verdict !== "Wrong") return;
    logger.warn("a settled result is wrong", fields);
    this.#pursue({ task, epoch, reason: finding.reason ?? "" }, signal);
  }

  /**
   * A wrong result stays wrong: where it cannot be disputed now, as while the token is paused, it is tried again, behind whatever
   * else is watched. What the contract itself refuses, such as evidence that is too old, it will refuse again.
   */
  #pursue(suspect: Suspect, signal: AbortSignal): void {
    if (this.#pursued >= maxPursued) {
      this.#fail(suspect.task, new Error(`${maxPursued} wrong results wait for their disputes; this one is let go`));
      return;
    }
    this.#pursued += 1;
    void this.#disputeUntilDone(suspect, signal).finally(() => {
      this.#pursued -= 1;
    });
  }

  async #disputeUntilDone(suspect: Suspect, signal: AbortSignal): Promise<void> {
    const { clock, random, spreadMs } = this.#options;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await clock.sleep(Math.round(random() * spreadMs), signal);
        await this.#inTurn(() => this.#dispute(suspect));
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#fail(suspect.task, error);
        if (isRefusal(error)) return;
        await clock.sleep(computeBackoffMs(attempt, { ...pursuit, random }), signal).catch(() => undefined);
      }
    }
  }

  /** One at a time: each approves its bond first, which a second approval in between would take the place of. */
  async #inTurn(work: () => Promise<void>): Promise<void> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    await work().finally(resolve);
  }

  async #dispute(suspect: Suspect): Promise<void> {
    const { reader, sender, desk, logger, metrics } = this.#options;
    const { task, epoch } = suspect;
    const evidence = toEvidence(task, epoch);
    const accused = evidence.approvals.map(({ attestation }) => attestation.validator);
    const covering = await desk.findCovering(task.taskId, task.attempt, accused);
    if (covering !== undefined) {
      this.#held.set(covering, suspect);
      return;
    }
    if (!(await this.#canPay())) {
      throw new InferiumError("InsufficientBond", `${sender.account} does not hold the bond of a dispute now.`);
    }
    const { id, txHash } = await sender.open(evidence, (await reader.parameters()).bondWei);
    metrics?.disputeSteps.inc({ step: "Open" });
    logger.info("dispute opened", { dispute: id, task: task.taskId, accused, txHash });
  }

  #fail(task: BatchTask, error: unknown): void {
    this.#options.metrics?.watchChecks.inc({ result: "Failed" });
    this.#options.logger.warn("a settled result could not be checked or disputed", {
      task: task.taskId,
      error: describeError(error),
    });
  }
}

/** What is no error of Disputes is somebody else's, and may pass. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof InferiumError) || error.code !== "TransactionReverted") return false;
  return loadArtifact("Disputes").abi.getError(String(error.evidence.revert)) !== null;
}

function toEvidence(task: BatchTask, epoch: bigint): ApprovedEvidence {
  return {
    receipt: task.receipt.message,
    workerSignature: task.receipt.signature,
    epoch,
    approvals: task.votes
      .filter(({ vote }) => vote === "Accept")
      .map(({ validationId, votesRoot, validator, signature, outputDigest, proof }) => ({
        attestation: { validationId, votesRoot, validator },
        signature,
        outputDigest,
        proof,
      })),
  };
}
