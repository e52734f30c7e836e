/**
 * Events go an hour after they were last written, as in Kubernetes (`--event-ttl`). Looks once a minute; the event that
 * has waited longest comes first, so that a look costs what it deletes. Effects: deletions.
 */
import { asString } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { ApiContext } from "../operations/context.ts";

const timeToLiveMs = 3_600_000;
const intervalMs = 60_000;
const storage = "events";

export class EventExpiry {
  readonly #context: ApiContext;
  readonly #stopWatch: () => void;
  readonly #timer: NodeJS.Timeout;
  /** When each was last written, in the order of these times. */
  readonly #written = new Map<string, number>();

  constructor(context: ApiContext) {
    this.#context = context;
    this.#stopWatch = context.store.watch(storage, context.store.revision(), ({ type, current }) => {
      this.#written.delete(current.key);
      if (type !== "DELETED") this.#written.set(current.key, this.#writtenAt(current.object));
    });
    this.#timer = setInterval(() => this.sweep(), intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stopWatch();
  }

  sweep(): void {
    const { store, clock } = this.#context;
    const expired = clock.now() - timeToLiveMs;
    for (const [key, writtenAt] of this.#written) {
      if (writtenAt > expired) return;
      this.#written.delete(key);
      if (store.get(storage, key) !== undefined) store.delete(storage, key);
    }
  }

  /** One that is there from an earlier start is as old as it says; whoever writes says a time of now. */
  #writtenAt(event: KubeObject): number {
    const now = this.#context.clock.now();
    const said = [event.lastTimestamp, event.eventTime, event.metadata.creationTimestamp].map((time) =>
      Date.parse(asString(time)),
    );
    return Math.min(now, Math.max(...said.filter((time) => !Number.isNaN(time)), 0) || now);
  }
}
