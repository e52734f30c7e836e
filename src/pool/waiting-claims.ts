/** Bounds how many claims wait at once, in all and per account, and counts them: each holds a connection and memory. */
import type { PoolBackend, PoolCaller } from "./backend.ts";
import type { PoolServerLimits } from "./limits.ts";
import type { PoolMetrics } from "./metrics.ts";
import { PoolRefusal } from "./refusal.ts";
import type { WaitForWork } from "./verbs.ts";

export interface WaitingClaimsOptions {
  readonly backend: PoolBackend;
  readonly limits: PoolServerLimits;
  readonly metrics: PoolMetrics | undefined;
}

export function createWaitForWork({ backend, limits, metrics }: WaitingClaimsOptions): WaitForWork {
  const waiting = new Map<string, number>();
  let total = 0;

  const enter = ({ account, role }: PoolCaller) => {
    const own = waiting.get(account) ?? 0;
    if (own >= limits.maxWaitingClaimsPerAccount) {
      throw new PoolRefusal(429, "TooManyClaims", `The account has ${own} claims waiting; let one end first.`, 1000);
    }
    if (total >= limits.maxWaitingClaims) {
      throw new PoolRefusal(503, "PoolBusy", `${total} claims are waiting, the most that may; try again.`, 2000);
    }
    total += 1;
    waiting.set(account, own + 1);
    metrics?.waiting.inc({ role });
  };
  const leave = ({ account, role }: PoolCaller) => {
    const own = (waiting.get(account) ?? 1) - 1;
    total -= 1;
    if (own === 0) waiting.delete(account);
    else waiting.set(account, own);
    metrics?.waiting.dec({ role });
  };

  return async (caller, request, signal) => {
    enter(caller);
    try {
      return await backend.claim(caller, request, signal);
    } finally {
      leave(caller);
    }
  };
}
