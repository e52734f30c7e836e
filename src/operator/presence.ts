/**
 * Who has spoken to the pool lately, and what they said they hold. In memory alone: live heartbeats stay out of etcd, and
 * after a restart everybody is given the time that silence is allowed before they count as gone. Silence is measured by a clock
 * that never jumps: one that is set makes nobody gone.
 */
import type { Clock } from "../base/clock.ts";

export interface Sighting {
  /** Milliseconds since the epoch; undefined where it was not seen since this process began. */
  readonly lastSeenMs: number | undefined;
  readonly models: ReadonlySet<string>;
}

interface Seen extends Sighting {
  /** By a clock that never jumps; undefined where it was not seen since this process began. */
  readonly atMs: number | undefined;
}

const nobody: Seen = { lastSeenMs: undefined, atMs: undefined, models: new Set() };

export class Presence {
  readonly #clock: Clock;
  readonly #silenceMs: number;
  readonly #startedMs: number;
  readonly #sightings = new Map<string, Seen>();

  /** @param silenceMs after so long without a word somebody counts as gone */
  constructor(clock: Clock, silenceMs: number) {
    this.#clock = clock;
    this.#silenceMs = silenceMs;
    this.#startedMs = clock.monotonic();
  }

  /** @param node name of the WorkerNode */
  see(node: string, models?: readonly string[]): void {
    const known = this.#seen(node);
    this.#sightings.set(node, {
      lastSeenMs: this.#clock.now(),
      atMs: this.#clock.monotonic(),
      models: models === undefined ? known.models : renew(known.models, models.slice(0, 64)),
    });
  }

  of(node: string): Sighting {
    return this.#seen(node);
  }

  /** Connected: it has spoken within the time. */
  isConnected(node: string): boolean {
    const { atMs } = this.#seen(node);
    return atMs !== undefined && this.#clock.monotonic() - atMs < this.#silenceMs;
  }

  /** Gone: it had the time to speak, and did not. Neither connected nor gone: this process has only just begun. */
  isGone(node: string): boolean {
    const since = this.#seen(node).atMs ?? this.#startedMs;
    return this.#clock.monotonic() - since >= this.#silenceMs;
  }

  forget(node: string): void {
    this.#sightings.delete(node);
  }

  #seen(node: string): Seen {
    return this.#sightings.get(node) ?? nobody;
  }
}

/** The same set as long as the worker says the same. */
function renew(known: ReadonlySet<string>, models: readonly string[]): ReadonlySet<string> {
  const isSame = models.length === known.size && models.every((model) => known.has(model));
  return isSame ? known : new Set(models);
}
