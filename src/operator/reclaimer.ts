/**
 * Stage 2: ends the attempts that must give way so that a tenant gets back at once what it lent, where its policy asks for
 * that. They cost their task no retry and their worker no reputation; the worker hears of it with its next heartbeat.
 */
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { TaskPool } from "../protocol/pool.ts";
import { stageOf } from "../protocol/task-stage.ts";
import type { EndAttempt } from "./attempt-end.ts";
import type { TaskLedger } from "./ledger.ts";

export interface ReclaimerOptions {
  readonly pool: TaskPool;
  readonly ledger: TaskLedger;
  readonly endAttempt: EndAttempt;
  readonly logger: Logger;
}

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
      for (const id of this.#options.pool.reclaim()) void this.#end(id);
    }, gatherMs);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #end(id: string): Promise<void> {
    const { ledger, pool, endAttempt, logger } = this.#options;
    const entry = ledger.get(id);
    const attempt = entry?.status.assignment?.attempt;
    // It is being handed out, and looked at again when that is written; or it has left by itself.
    if (!entry || attempt === undefined || stageOf(entry.status) !== "Run") return pool.spare(id);
    const message = "It ran on quota that was borrowed, and whoever lent it needs it.";
    try {
      await endAttempt(entry, { attempt, outcome: "Preempted", reason: "QuotaReclaimed", message, durable: true });
    } catch (error) {
      logger.warn("a task was not preempted", { task: id, error: describeError(error) });
      pool.spare(id);
    }
  }
}
