/**
 * Watches what is settled: picks some of the results that this validator had no vote on, runs them again, and hands what is
 * wrong to the pursuit. Results that fewer validators approved than usual are always picked. One result at a time, behind
 * the validator's duties. Effects: calls to the pool, re-executions.
 */
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ChainEvent } from "../../chain/chain-event.ts";
import type { BatchTask } from "../../pool/batch-evidence.ts";
import type { PoolClient } from "../../pool/client.ts";
import type { JudgeItem } from "../../pool/duty.ts";
import type { ProtocolDomain } from "../../protocol/typed-data.ts";
import { digestReceipt } from "../check-receipt.ts";
import type { ValidatorMetrics } from "../metrics.ts";
import type { ResultFinding } from "./judge-result.ts";
import { isBatchOf, isPicked, type WatchRules } from "./pick-results.ts";
import type { SuspectPursuit } from "./suspect-pursuit.ts";

export interface WatchOptions {
  /** Who watches: what it voted on itself is not picked. */
  readonly account: string;
  /** Whether a dispute could be paid now: without its bond a finding is of no use to anybody. */
  readonly canPay: () => Promise<boolean>;
  readonly pursuit: Pick<SuspectPursuit, "add">;
  readonly pool: Pick<PoolClient, "batch" | "item">;
  readonly judge: (item: JudgeItem, signal: AbortSignal) => Promise<ResultFinding>;
  readonly domain: ProtocolDomain;
  readonly rules: WatchRules;
  /** Uniform in [0, 1): nobody may foresee what is picked. */
  readonly random: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ValidatorMetrics | undefined;
}

interface SettledBatch {
  readonly sequence: bigint;
  readonly headerHash: string;
}

/** What waits to be looked at; the oldest go first where there are more, since their windows close first. */
const maxQueued = 256;
const maxCheckMs = 3_600_000;
const idleMs = 60_000;

export class ResultWatch {
  readonly #options: WatchOptions;
  readonly #queue: SettledBatch[] = [];
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
    const { pool, domain, rules, random, account, canPay, logger } = this.#options;
    const { batch } = await pool.batch({ sequence: String(sequence) }, signal);
    if (!isBatchOf(domain, batch, headerHash)) {
      logger.warn("the pool's record of a settled batch is not what the chain has", { batch: sequence });
      return;
    }
    const picked = batch.tasks.filter((task) => isPicked(task, { ...rules, account }, random()));
    if (picked.length === 0 || !(await canPay())) return;
    for (const task of picked) {
      if (signal.aborted) return;
      await this.#check(task, batch.header.epoch, signal).catch((error: unknown) => this.#fail(task, error));
    }
  }

  async #check(task: BatchTask, epoch: string, signal: AbortSignal): Promise<void> {
    const { pool, judge, domain, pursuit, metrics, logger } = this.#options;
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
    await pursuit.add({ task, epoch, reason: finding.reason ?? "" }, signal);
  }

  #fail(task: BatchTask, error: unknown): void {
    this.#options.metrics?.watchChecks.inc({ result: "Failed" });
    this.#options.logger.warn("a settled result could not be checked or disputed", {
      task: task.taskId,
      error: describeError(error),
    });
  }
}
