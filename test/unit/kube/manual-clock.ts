/** A clock that moves only when told, for logic that waits. */
import type { Clock } from "../../../src/base/clock.ts";

export interface ManualClock extends Clock {
  /** Moves on, waking each sleeper at its time and letting it run before the next. */
  advance(ms: number): Promise<void>;
  readonly sleepers: number;
}

export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let elapsed = 0;
  const sleeping = new Set<{ at: number; wake: () => void }>();
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = {
          at: elapsed + ms,
          wake: () => {
            sleeping.delete(sleeper);
            resolve();
          },
        };
        sleeping.add(sleeper);
        signal?.addEventListener("abort", () => {
          sleeping.delete(sleeper);
          reject(signal.reason);
        });
      }),
    get sleepers() {
      return sleeping.size;
    },
    advance: async (ms) => {
      const until = elapsed + ms;
      await settle();
      for (;;) {
        const next = [...sleeping].sort((a, b) => a.at - b.at)[0];
        if (next === undefined || next.at > until) break;
        elapsed = Math.max(elapsed, next.at);
        next.wake();
        await settle();
      }
      elapsed = until;
      await settle();
    },
  };
}
