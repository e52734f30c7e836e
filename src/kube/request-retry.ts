/**
 * Which failed calls may be sent again without asking the caller. Only what surely was not executed, or changes nothing:
 * everything else is the caller's decision. Pure but for the random source.
 */
import { computeBackoffMs } from "../base/backoff.ts";
import { InferiumError } from "../base/errors.ts";
import { KubeApiError } from "./api-error.ts";

export interface FailedAttempt {
  readonly method: string;
  readonly error: unknown;
  /** 1 for the first try. */
  readonly attempt: number;
  /** A 401 was already answered with freshly read credentials. */
  readonly usedFreshCredentials: boolean;
  /** What is left of the call's time-out. */
  readonly remainingMs: number;
}

export interface Retry {
  readonly delayMs: number;
  readonly freshCredentials: boolean;
}

export interface RetryRules {
  readonly maxRetries: number;
  readonly random?: (() => number) | undefined;
}

/** undefined: give the error to the caller. */
export function decideRetry(failed: FailedAttempt, rules: RetryRules): Retry | undefined {
  const { error, attempt } = failed;
  if (attempt > rules.maxRetries) return undefined;
  if (error instanceof KubeApiError && error.status === 401) {
    return failed.usedFreshCredentials ? undefined : { delayMs: 0, freshCredentials: true };
  }
  if (!isSafeToRepeat(error, failed.method)) return undefined;
  const backoffMs = computeBackoffMs(attempt, {
    initialMs: 100,
    maxMs: 5_000,
    ...(rules.random === undefined ? {} : { random: rules.random }),
  });
  const askedMs = error instanceof KubeApiError ? (error.retryAfterMs ?? 0) : 0;
  // The server names a moment; jitter on top of it keeps its clients from coming back all at once.
  const delayMs = askedMs + backoffMs;
  return delayMs < failed.remainingMs ? { delayMs, freshCredentials: false } : undefined;
}

function isSafeToRepeat(error: unknown, method: string): boolean {
  // Without Retry-After a 429 is a decision (an eviction against a disruption budget).
  if (error instanceof KubeApiError) {
    if (error.retryAfterMs === undefined) return false;
    // Refused before execution. Any other failure of the server may have come after it, which only a read can bear.
    return error.status === 429 || error.status === 503 || (method === "GET" && error.status >= 500);
  }
  return method === "GET" && error instanceof InferiumError && error.code === "KubeUnreachable";
}
