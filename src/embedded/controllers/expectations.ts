/**
 * What a controller has asked for and not yet seen in its informers: creations by number, deletions by uid. While some
 * are open its picture is stale, and deciding by it would make duplicates. An expectation that is not met within five
 * minutes is given up, as an event may be lost with its object. One instance a controller; no effects.
 */
import type { Clock } from "../../base/clock.ts";

interface Open {
  creations: number;
  readonly deletions: Set<string>;
  readonly since: number;
}

const timeoutMs = 300_000;

export class Expectations {
  readonly #clock: Clock;
  readonly #open = new Map<string, Open>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  expect(key: string, creations: number, deletedUids: readonly string[] = []): void {
    this.#open.set(key, { creations, deletions: new Set(deletedUids), since: this.#clock.monotonic() });
  }

  /** One creation was seen, or failed and will never be. */
  creationObserved(key: string): void {
    const open = this.#open.get(key);
    if (open !== undefined && open.creations > 0) open.creations -= 1;
  }

  deletionObserved(key: string, uid: string): void {
    this.#open.get(key)?.deletions.delete(uid);
  }

  isSatisfied(key: string): boolean {
    const open = this.#open.get(key);
    if (open === undefined) return true;
    if (open.creations === 0 && open.deletions.size === 0) return true;
    return this.#clock.monotonic() - open.since > timeoutMs;
  }

  forget(key: string): void {
    this.#open.delete(key);
  }
}
