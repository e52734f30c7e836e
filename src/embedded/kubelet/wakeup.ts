/** A loop's bell: woken by events or at a due time; a ring during a pass is kept for the next wait. */
import type { Clock } from "../../base/clock.ts";

/** Timers of Node overflow above 24 days; waking early is harmless. */
const maxSleepMs = 3_600_000;

export class Wakeup {
  #rung = false;
  #ring: (() => void) | undefined;
  #idleWaiters: (() => void)[] = [];

  wake(): void {
    this.#rung = true;
    this.#ring?.();
  }

  /** Resolves at the next `wake`, at `dueAt` (milliseconds since the epoch), or when the signal aborts. */
  async wait(clock: Clock, dueAt: number | undefined, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      for (const waiter of this.#idleWaiters.splice(0)) waiter();
      await this.#sleep(clock, dueAt, signal);
    }
    this.#rung = false;
    if (signal.aborted) for (const waiter of this.#idleWaiters.splice(0)) waiter();
  }

  /** Resolves when the loop has nothing to do. */
  idle(): Promise<void> {
    if (!this.#rung && this.#ring !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  async #sleep(clock: Clock, dueAt: number | undefined, signal: AbortSignal): Promise<void> {
    const cancel = new AbortController();
    const rung = new Promise<void>((resolve) => {
      this.#ring = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true, signal: cancel.signal });
    });
    const due =
      dueAt === undefined ? rung : clock.sleep(Math.min(maxSleepMs, Math.max(1, dueAt - clock.now())), cancel.signal);
    await Promise.race([rung, due]);
    this.#ring = undefined;
    due.catch(() => undefined);
    cancel.abort(new Error("woken"));
  }
}
