/**
 * Reads that a term of leadership cannot begin without, while the API server fails: tried again for as long as the term lasts,
 * with a growing pause. A process that ended instead would be started again by its kubelet, ask the same of the same server,
 * and lose its caches each time; one that waits is not ready and says why. Called by stages.ts; effects: the log.
 */
import { computeBackoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";

export interface Waiting {
  /** What is read, for the log. */
  readonly what: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const backoff = { initialMs: 250, maxMs: 10_000 } as const;

/** @throws what will not pass by itself, and the signal's reason */
export async function untilDone<T>(work: () => Promise<T>, waiting: Waiting, signal: AbortSignal): Promise<T> {
  const { what, clock, logger } = waiting;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof InferiumError) || error.disposition !== "retry") throw error;
      const delayMs = computeBackoffMs(attempt, backoff);
      logger.warn("the term cannot begin yet", { what, attempt, delayMs, error: describeError(error) });
      await clock.sleep(delayMs, signal);
    }
  }
}
