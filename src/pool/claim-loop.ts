/** The loop of every member: wait for room, claim, accept, again; slower where the pool is away or has nothing. */
import { computeBackoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { PoolClient, PoolFacts } from "./client.ts";
import type { ClaimRequest, ClaimResponse } from "./wire.ts";

export interface ClaimLoopOptions {
  readonly client: Pick<PoolClient, "claim">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resolves when there is room for more work, or the signal is aborted. */
  readonly nextRequest: (signal: AbortSignal) => Promise<ClaimRequest>;
  readonly accept: (response: ClaimResponse) => Promise<void>;
}

/** An empty answer that comes sooner than this was no wait at all; asking again at once would be a storm. */
const minEmptyClaimMs = 250;

/** Runs until the signal is aborted; never rejects. */
export async function runClaimLoop(options: ClaimLoopOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger } = options;
  for (let failures = 0; !signal.aborted; ) {
    const startedAt = clock.monotonic();
    try {
      const response = await claimOnce(options, signal);
      failures = 0;
      if (response === undefined || !isEmpty(response)) continue;
      const earlyMs = minEmptyClaimMs - (clock.monotonic() - startedAt);
      if (earlyMs > 0) await clock.sleep(earlyMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      logger.warn("claim failed", { failures, error: describeError(error) });
      await pause(clock, computeBackoffMs(failures, { initialMs: 500, maxMs: 15_000 }), signal);
    }
  }
}

function isEmpty({ assignments, duties, challenge }: ClaimResponse): boolean {
  return assignments.length + duties.length === 0 && challenge === undefined;
}

async function claimOnce(options: ClaimLoopOptions, signal: AbortSignal): Promise<ClaimResponse | undefined> {
  const request = await options.nextRequest(signal);
  if (signal.aborted) return undefined;
  const response = await options.client.claim(request, signal);
  await options.accept(response);
  return response;
}

export interface WaitForPoolOptions {
  readonly client: Pick<PoolClient, "facts">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The first session, however long it takes: a member may start before its pool, its WorkerNode or its bond. Undefined
 * where the signal was aborted first.
 * @throws InferiumError WrongPool, and others that waiting does not mend
 */
export async function waitForPool(options: WaitForPoolOptions, signal: AbortSignal): Promise<PoolFacts | undefined> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await options.client.facts(signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!mayPass(error)) throw error;
      options.logger.warn("no session with the pool yet", { attempt, error: describeError(error) });
      await pause(options.clock, computeBackoffMs(attempt, { initialMs: 250, maxMs: 10_000 }), signal);
    }
  }
  return undefined;
}

/** 403: the pool does not know us, yet. */
function mayPass(error: unknown): boolean {
  return error instanceof InferiumError && (error.disposition === "retry" || error.evidence.status === 403);
}

/** An abort ends the pause; the loops look at the signal themselves. */
async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, signal).catch(() => undefined);
}
