/**
 * A gateway's side of the pool API as gateways take it: the directory of agents, kept up to date by a long poll, and the sinks
 * for windows of calls and for load. Effects: calls to the pool until the signal is aborted.
 */
import { computeBackoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { AgentDirectory, AgentEntry, CallSink, LoadSink } from "./agents.ts";
import type { PoolClient } from "./client.ts";

export interface FollowAgentsOptions {
  readonly client: Pick<PoolClient, "agents">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly waitMs?: number;
}

export interface FollowedAgents extends AgentDirectory {
  /** Resolves when the signal is aborted; never rejects. While the pool is away, what it said last goes on to hold. */
  run(signal: AbortSignal): Promise<void>;
}

/** An answer without news that comes sooner was no wait at all. */
const minWaitMs = 250;

export function followAgents(options: FollowAgentsOptions): FollowedAgents {
  const { client, clock, logger } = options;
  const listeners = new Set<() => void>();
  let entries: readonly AgentEntry[] = [];
  let version = "";

  async function askOnce(signal: AbortSignal): Promise<void> {
    const startedAt = clock.monotonic();
    const answer = await client.agents({ version, waitMs: options.waitMs ?? 25_000 }, signal);
    const earlyMs = minWaitMs - (clock.monotonic() - startedAt);
    if (answer.version === version) {
      if (earlyMs > 0) await clock.sleep(earlyMs, signal);
      return;
    }
    version = answer.version;
    entries = answer.agents;
    for (const listener of listeners) listener();
  }

  return {
    current: () => entries,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async run(signal) {
      for (let failures = 0; !signal.aborted; ) {
        try {
          await askOnce(signal);
          failures = 0;
        } catch (error) {
          if (signal.aborted) return;
          failures += 1;
          logger.warn("the directory of agents could not be read", { failures, error: describeError(error) });
          const waitMs = computeBackoffMs(failures, { initialMs: 500, maxMs: 15_000 });
          await clock.sleep(waitMs, signal).catch(() => undefined);
        }
      }
    },
  };
}

export function createCallSink(client: Pick<PoolClient, "window" | "open">): CallSink {
  return {
    commit: (window) => client.window(window),
    open: async (windowId, calls) => void (await client.open({ windowId, calls })),
  };
}

export function createLoadSink(client: Pick<PoolClient, "load">): LoadSink {
  return { report: async (loads) => void (await client.load({ loads })) };
}
