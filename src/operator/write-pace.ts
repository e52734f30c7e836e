/**
 * When each of many objects may be written, so that together they are written no faster than a bound however many there are.
 * Who has to wait keeps its turn. Used by the mirror, for news that can wait.
 */
export interface PaceLimits {
  readonly ratePerSecond: number;
  /** At once, after a while without any. */
  readonly burst: number;
}

export class WritePace {
  readonly #everyMs: number;
  readonly #burstMs: number;
  readonly #turns = new Map<string, number>();
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor({ ratePerSecond, burst }: PaceLimits) {
    this.#everyMs = 1_000 / ratePerSecond;
    this.#burstMs = (burst - 1) * this.#everyMs;
  }

  /** Milliseconds until the turn of `name`; 0: it is its turn, which is thereby over. */
  take(name: string, nowMs: number): number {
    const kept = this.#turns.get(name);
    const turnMs = kept ?? Math.max(nowMs - this.#burstMs, this.#nextMs);
    if (kept === undefined) this.#nextMs = turnMs + this.#everyMs;
    if (turnMs > nowMs) this.#turns.set(name, turnMs);
    else this.#turns.delete(name);
    return Math.max(0, turnMs - nowMs);
  }

  forget(name: string): void {
    this.#turns.delete(name);
  }
}
