/**
 * How long a claim has lasted, and what is left of it: by wall time when this process first saw it, from then on by a clock that
 * never jumps. A wall clock that is set while work runs must not end it, and cost its worker stake for a deadline that was met.
 */
import type { Clock } from "../base/clock.ts";
import type { TaskEntry } from "./ledger.ts";

export interface ClaimAge {
  readonly ageMs: number;
  readonly leftMs: number;
}

interface Sighting extends ClaimAge {
  readonly claim: string;
  readonly atMs: number;
}

type ClaimedEntry = Pick<TaskEntry, "key" | "uid" | "status">;

export class ClaimAges {
  readonly #clock: Clock;
  readonly #sightings = new Map<string, Sighting>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined where nobody has claimed it. */
  of({ key, uid, status: { assignment } }: ClaimedEntry): ClaimAge | undefined {
    if (assignment === undefined) {
      this.forget(key);
      return undefined;
    }
    const claim = `${uid}/${assignment.attempt}`;
    let seen = this.#sightings.get(key);
    if (seen?.claim !== claim) {
      const nowMs = this.#clock.now();
      const ageMs = Math.max(0, nowMs - Date.parse(assignment.claimedAt));
      const leftMs = Date.parse(assignment.deadline) - nowMs;
      seen = { claim, ageMs, leftMs, atMs: this.#clock.monotonic() };
      this.#sightings.set(key, seen);
    }
    const passedMs = this.#clock.monotonic() - seen.atMs;
    return { ageMs: seen.ageMs + passedMs, leftMs: seen.leftMs - passedMs };
  }

  /** @param key namespace/name of the task */
  forget(key: string): void {
    this.#sightings.delete(key);
  }
}
