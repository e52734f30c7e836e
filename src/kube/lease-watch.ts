/**
 * Follows one Lease while somebody else holds it, so that a contender learns at once that it was given back and sees each
 * renewal when it is made, instead of at its next look. Only that: whoever contends still looks now and then by itself, so
 * nothing depends on the watch, and a server that forbids it costs seconds.
 */
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Lease } from "./control-types.ts";
import { leases } from "./core-resources.ts";
import type { Transport } from "./transport.ts";
import { watchCollection } from "./watch.ts";

export interface LeaseWatchOptions {
  readonly namespace: string;
  readonly name: string;
  /** Between two watches, after one has ended for whatever reason. */
  readonly pauseMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined: the Lease was deleted. */
  readonly onChange: (lease: Lease | undefined) => void;
}

/** A holder renews every few seconds: a watch that has been silent for so long is broken, or the holder is gone. */
const stallMs = 60_000;

/** Resolves after the signal is aborted; never rejects. */
export async function watchLease(
  transport: Transport,
  { namespace, name, pauseMs, clock, logger, onChange }: LeaseWatchOptions,
  signal: AbortSignal,
): Promise<void> {
  const selection = { namespace, fieldSelector: `metadata.name=${name}` };
  while (!signal.aborted) {
    try {
      for await (const { type, object } of watchCollection(transport, leases, { ...selection, stallMs, signal })) {
        if (type !== "BOOKMARK") onChange(type === "DELETED" ? undefined : object);
      }
    } catch (error) {
      if (!signal.aborted)
        logger.debug("watch of the lease failed; looking at it instead", { error: describeError(error) });
    }
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}
