/**
 * Work that is tried again for as long as its signal lasts, with a growing pause: what a term of leadership cannot begin without while
 * the API server fails, a window of calls that the operator does not take yet. One opinion on what passes by itself: an error that says
 * so. Whoever throws others says that trying again is of no use. Effects: the log.
 */
import { computeBackoffMs } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { describeError, InferiumError } from "./errors.ts";
import type { LogFields, Logger } from "./log.ts";

export interface Waiting {
  /** What a failed attempt means, for the log. */
  readonly message: string;
  readonly fields: LogFields;
  readonly clock: Clock;
  readonly logger: Logger;
}

const backoff = { initialMs: 250, maxMs: 15_000 } as const;

/** @throws what will not pass by itself, and the signal's reason */
export async function untilDone<T>(work: () => Promise<T>, waiting: Waiting, signal: AbortSignal): Promise<T> {
  const { message, fields, clock, logger } = waiting;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof InferiumError) || error.disposition !== "retry") throw error;
      const delayMs = computeBackoffMs(attempt, backoff);
      logger.warn(message, { ...fields, attempt, delayMs, error: describeError(error) });
      await clock.sleep(delayMs, signal);
    }
  }
}
