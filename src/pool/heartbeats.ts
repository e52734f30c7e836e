/** Tells the pool at a steady pace that what was claimed is still being worked on, and hears what no longer counts. */
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { PoolClient } from "./client.ts";
import type { HeartbeatRequest, HeartbeatResponse } from "./wire.ts";

export interface HeartbeatOptions {
  readonly client: Pick<PoolClient, "heartbeat">;
  readonly intervalMs: number;
  /** Undefined while there is nothing to tell. */
  readonly read: () => HeartbeatRequest | undefined | Promise<HeartbeatRequest | undefined>;
  readonly onAnswer: (answer: HeartbeatResponse) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Runs until the signal is aborted; a heartbeat that fails is followed by the next one. Never rejects. */
export async function sendHeartbeats(options: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, client } = options;
  while (!signal.aborted) {
    await clock.sleep(options.intervalMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const request = await options.read();
      if (request === undefined) continue;
      options.onAnswer(await client.heartbeat(request, signal));
    } catch (error) {
      if (!signal.aborted) logger.warn("heartbeat failed", { error: describeError(error) });
    }
  }
}
