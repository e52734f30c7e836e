/**
 * How long a task still rests after an attempt that failed. Its end is wall time in the status; from when this process first saw it a clock
 * counts that never jumps, or a task whose attempt ended under a clock that was ahead would rest until the right one is there.
 */
import type { Clock } from "../base/clock.ts";
import { computeRequeueDelay } from "../protocol/failure-class.ts";
import type { TaskEntry } from "./ledger.ts";

interface Rest {
  readonly attempts: string;
  readonly untilMs: number;
}

export class RequeueRests {
  readonly #clock: Clock;
  readonly #rests = new Map<string, Rest>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds; 0 or less where it may wait in the pool. */
  leftOf({ key, uid, status }: Pick<TaskEntry, "key" | "uid" | "status">): number {
    const ended = status.attempts ?? [];
    const delayMs = computeRequeueDelay(ended);
    if (delayMs <= 0) {
      this.forget(key);
      return 0;
    }
    const nowMs = this.#clock.monotonic();
    const attempts = `${uid}/${ended.length}`;
    let rest = this.#rests.get(key);
    if (rest?.attempts !== attempts) {
      const passedMs = this.#clock.now() - (Date.parse(ended.at(-1)?.endedAt ?? "") || 0);
      rest = { attempts, untilMs: nowMs + delayMs - Math.max(0, passedMs) };
      this.#rests.set(key, rest);
    }
    return rest.untilMs - nowMs;
  }

  /** @param key namespace/name of the task */
  forget(key: string): void {
    this.#rests.delete(key);
  }
}
