/** Long computations let timers, heartbeats and requests of the same process have their turn. */
import { setImmediate } from "node:timers/promises";
import type { Pause } from "./program.ts";

const sliceMs = 25;

/** Called after every bit of work: lets others in now and then. Rejects with the signal's reason. */
export function createPause(signal: AbortSignal): Pause {
  let sinceMs = performance.now();
  return async () => {
    if (performance.now() - sinceMs < sliceMs) return;
    await setImmediate();
    signal.throwIfAborted();
    sinceMs = performance.now();
  };
}
