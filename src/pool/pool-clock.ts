/**
 * The pool's time as a member has it: what the operator's last answer said, and what has passed since by a clock that never
 * jumps. Deadlines of claims and duties are in it, so a member whose own clock is wrong or jumps keeps them all the same, and what
 * its receipts say of times can be compared with others'. Made by `joinPool`, told by its client.
 */
import type { Clock } from "../base/clock.ts";

/** Milliseconds since the epoch as the answer was written; stands on each answer of the pool API. */
export const poolTimeHeader = "inferium-time-ms";

export interface PoolClock extends Clock {
  /** @param header as it came; what is no time is not heard */
  hear(header: string | string[] | undefined): void;
}

/** @param own tells the time until the pool has been heard */
export function createPoolClock(own: Clock): PoolClock {
  let aheadOfMonotonicMs: number | undefined;
  return {
    now: () => (aheadOfMonotonicMs === undefined ? own.now() : Math.round(own.monotonic() + aheadOfMonotonicMs)),
    monotonic: () => own.monotonic(),
    sleep: (ms, signal) => own.sleep(ms, signal),
    hear(header) {
      if (typeof header === "string" && /^\d{1,15}$/.test(header))
        aheadOfMonotonicMs = Number(header) - own.monotonic();
    },
  };
}
