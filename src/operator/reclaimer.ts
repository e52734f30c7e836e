/**
 * Stage 2: ends the attempts that must give way, so that a tenant gets back at once what it lent or its next task need not wait for
 * others of lower priority, where its policy asks for that. They cost their task no retry and their worker no reputation; the worker hears of it with its next heartbeat.
 */
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { TaskPool } from "../protocol/pool.ts";
import type { Because } from "../protocol/status-change.ts";
import { stageOf } from "../protocol/task-stage.ts";
import type { EndAttempt } from "./attempt-end.ts";
import type { TaskLedger } from "./ledger.ts";

export interface ReclaimerOptions {
  readonly pool: TaskPool;
  readonly ledger: TaskLedger;
  readonly endAttempt: EndAttempt;
  readonly logger: Logger;
}

const reclaimed: Because = {
  reason: "QuotaReclaimed",
  message: "It ran on quota that was borrowed, and whoever lent it needs it.",
};
const outranked: Because = {
  reason: "PriorityPreempted",
  message: "A task of the same tenant with a higher priority needs its quota.",
};

/** Changes within this time are looked at together. */
const gatherMs = 20;

export class Reclaimer {
  readonly #options: ReclaimerOptions;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ReclaimerOptions) {
    this.#options = options;
  }

  /** Something waits, or runs, or has ended. */
  look(): void {
    if (this.#isClosed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const { pool } = this.#options;
      for (const id of pool.reclaim()) void this.#end(id, reclaimed);
      for (const id of pool.preempt()) void this.#end(id, outranked);
    }, gatherMs);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #end(id: string, because: Because): Promise<void> {
    const { ledger, pool, endAttempt, logger } = this.#options;
    const entry = ledger.get(id);
    const attempt = entry?.status.assignment?.attempt;
    // It is being handed out, and looked at again when that is written; or it has left by itself.
    if (!entry || attempt === undefined || stageOf(entry.status) !== "Run") return pool.spare(id);
    try {
      await endAttempt(entry, { attempt, outcome: "Preempted", ...because, durable: true });
    } catch (error) {
      logger.warn("a task was not preempted", { task: id, error: describeError(error) });
      pool.spare(id);
    }
  }
}
