/** Bounds a rate: `burst` at once, then `ratePerSecond`. Takers wait their turn. */
import type { Clock } from "../base/clock.ts";

export interface BucketLimits {
  readonly ratePerSecond: number;
  readonly burst: number;
}

export class TokenBucket {
  readonly #limits: BucketLimits;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;

  constructor(limits: BucketLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#tokens = limits.burst;
    this.#filledAt = clock.monotonic();
  }

  /** Resolves when a token was taken; rejects with the signal's reason, giving it back. */
  async take(signal?: AbortSignal): Promise<void> {
    this.#fill();
    this.#tokens--;
    if (this.#tokens >= 0) return;
    try {
      await this.#clock.sleep((-this.#tokens / this.#limits.ratePerSecond) * 1000, signal);
    } catch (error) {
      this.#tokens++;
      throw error;
    }
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    const gained = ((now - this.#filledAt) / 1000) * this.#limits.ratePerSecond;
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + gained);
    this.#filledAt = now;
  }
}
