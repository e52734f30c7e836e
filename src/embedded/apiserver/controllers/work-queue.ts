/** Runs keys one after another, each in its own turn of the event loop, never twice while it waits. Retries with backoff. */
import { computeBackoffMs } from "../../../base/backoff.ts";

const maxAttempts = 5;

export class WorkQueue {
  readonly #run: (key: string) => void;
  readonly #onError: (key: string, error: unknown) => void;
  readonly #waiting = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #scheduled: NodeJS.Immediate | undefined;
  #stopped = false;

  constructor(run: (key: string) => void, onError: (key: string, error: unknown) => void) {
    this.#run = run;
    this.#onError = onError;
  }

  add(key: string): void {
    if (this.#stopped) return;
    this.#waiting.add(key);
    this.#scheduled ??= setImmediate(() => this.#drain());
  }

  stop(): void {
    this.#stopped = true;
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #drain(): void {
    this.#scheduled = undefined;
    const keys = [...this.#waiting];
    this.#waiting.clear();
    for (const key of keys) this.#attempt(key, 1);
  }

  #attempt(key: string, attempt: number): void {
    if (this.#stopped) return;
    try {
      this.#run(key);
    } catch (error) {
      this.#onError(key, error);
      if (attempt < maxAttempts) this.#later(key, attempt + 1);
    }
  }

  #later(key: string, attempt: number): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        this.#attempt(key, attempt);
      },
      computeBackoffMs(attempt, { initialMs: 100, maxMs: 5_000 }),
    );
    this.#timers.add(timer);
  }
}
