/**
 * Keeps a store equal to what the server has: list, then watch from there, for ever. No failure of the server ends it,
 * only `signal` does, and after that nothing reaches the store, whatever is still in flight.
 *
 * 1. WatchList where the server has it: present state and changes in one stream. Else paged LIST, then WATCH.
 * 2. A clean close: watch again at once, from the last version seen (bookmarks keep it fresh).
 * 3. 410, in the answer or in the stream: the version is gone; list again. The store emits what was missed.
 * 4. Any other failure: wait (jittered exponential backoff, at least what the server asked), then go on as in 2.
 * 5. A silent stream: the stall timer ends it, then as in 4.
 */
import { computeBackoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { isGone, KubeApiError, retryAfterOf } from "./api-error.ts";
import { startDeadline } from "./deadline.ts";
import { listPagesAs, type Selection, withKind } from "./list-pages.ts";
import type { KubeMetrics } from "./metrics.ts";
import { type KubeObject, objectKey } from "./object.ts";
import type { ResourceType } from "./resource.ts";
import type { ObjectStore, StagedEntry, StoreEvent } from "./store.ts";
import type { Transport } from "./transport.ts";
import { isInitialEventsEnd, type WatchEvent, type WatchOptions, watchCollection } from "./watch.ts";

export interface ReflectorTiming {
  /** Until a silent watch is taken for dead. Servers send a bookmark about once a minute. */
  readonly stallMs: number;
  /** Between two events before the end of the initial ones: a server without WatchList may ignore the request for it. */
  readonly initialStallMs: number;
  /** The server is asked to end a watch after a random time between these, so that watches spread over servers. */
  readonly watchSecondsMin: number;
  readonly watchSecondsMax: number;
  readonly backoffInitialMs: number;
  readonly backoffMaxMs: number;
  readonly pageSize: number;
  readonly listTimeoutMs: number;
}

export const defaultReflectorTiming: ReflectorTiming = {
  stallMs: 90_000,
  initialStallMs: 10_000,
  watchSecondsMin: 300,
  watchSecondsMax: 600,
  backoffInitialMs: 800,
  backoffMaxMs: 30_000,
  pageSize: 500,
  listTimeoutMs: 60_000,
};

export interface ReflectorOptions<T extends KubeObject, R> {
  readonly transport: Transport;
  readonly type: ResourceType<T>;
  readonly selection: Selection;
  readonly store: ObjectStore<T, R>;
  readonly timing: ReflectorTiming;
  /** False: never ask for a WatchList. */
  readonly watchList: boolean;
  readonly emit: (events: readonly StoreEvent<R>[]) => void;
  /** The store equals a state of the server for the first time, or again after a relist. */
  readonly onSynced: () => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: KubeMetrics | undefined;
}

export class Reflector<T extends KubeObject, R> {
  readonly #options: ReflectorOptions<T, R>;
  readonly #signal: AbortSignal;
  #watchList: boolean;
  /** Undefined: the store must be filled anew before the next watch. */
  #resourceVersion: string | undefined;
  #failures = 0;

  constructor(options: ReflectorOptions<T, R>, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#watchList = options.watchList;
  }

  /** Resolves when the signal aborts, never before, and never rejects. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await this.#listAndWatch();
        this.#failures = 0;
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  /** One round: returns when a watch was closed cleanly. */
  async #listAndWatch(): Promise<void> {
    if (this.#resourceVersion !== undefined) return this.#watch();
    if (this.#watchList) return this.#watchFromStart();
    await this.#list();
    return this.#watch();
  }

  async #list(): Promise<void> {
    const { transport, type, selection, store, timing } = this.#options;
    this.#options.metrics?.relists.inc({ resource: type.plural });
    const options = { ...selection, pageSize: timing.pageSize, timeoutMs: timing.listTimeoutMs, signal: this.#signal };
    const list = await listPagesAs(transport, type, options, (object) => store.stage(object));
    this.#replace(new Map(list.items.map((entry) => [entry.key, entry])), list.resourceVersion);
  }

  async #watch(): Promise<void> {
    const startedAt = this.#options.clock.monotonic();
    let events = 0;
    for await (const event of this.#openWatch({ resourceVersion: this.#resourceVersion, signal: this.#signal })) {
      events++;
      this.#take(event);
    }
    const lastedMs = this.#options.clock.monotonic() - startedAt;
    if (events === 0 && lastedMs < shortWatchMs) throw closedEarly("the watch was closed at once, with no event");
  }

  /** WatchList: gathers the initial events aside, so that readers never see half a state. */
  async #watchFromStart(): Promise<void> {
    const initial = new Map<string, StagedEntry<R>>();
    const deadline = startDeadline(this.#options.timing.initialStallMs, this.#signal);
    let filled = false;
    this.#options.metrics?.relists.inc({ resource: this.#options.type.plural });
    try {
      for await (const event of this.#openWatch({ sendInitialEvents: true, signal: deadline.signal })) {
        if (filled) this.#take(event);
        else if (isInitialEventsEnd(event)) {
          deadline.disarm();
          filled = true;
          this.#replace(initial, event.object.metadata.resourceVersion ?? "");
          // The watch goes on for minutes, and would keep it all that time.
          initial.clear();
        } else {
          deadline.restart();
          this.#gather(initial, event);
        }
      }
      if (!filled) throw closedEarly("the watch was closed before the end of the initial events");
    } catch (error) {
      // The server does not know WatchList: it refused it, or took it for a plain watch. Lists from now on.
      if (!filled && (deadline.expired() || isUnsupported(error))) this.#watchList = false;
      throw error;
    } finally {
      deadline.release();
    }
  }

  #openWatch(options: Pick<WatchOptions, "resourceVersion" | "sendInitialEvents" | "signal">) {
    const { transport, type, selection, timing } = this.#options;
    this.#options.metrics?.watches.inc({ resource: type.plural });
    const spread = timing.watchSecondsMax - timing.watchSecondsMin;
    const timeoutSeconds = Math.round(timing.watchSecondsMin + this.#options.random() * spread);
    return watchCollection(transport, type, { ...selection, ...options, timeoutSeconds, stallMs: timing.stallMs });
  }

  #gather(initial: Map<string, StagedEntry<R>>, event: WatchEvent<T>): void {
    const { store, type } = this.#options;
    const { object } = event;
    if (event.type === "DELETED") initial.delete(objectKey(object));
    else if (event.type !== "BOOKMARK") initial.set(objectKey(object), store.stage(withKind(object, type)));
  }

  #replace(entries: ReadonlyMap<string, StagedEntry<R>>, resourceVersion: string): void {
    if (this.#signal.aborted) return;
    const events = this.#options.store.replace(entries);
    this.#resourceVersion = resourceVersion;
    this.#options.emit(events);
    this.#options.onSynced();
  }

  #take(event: WatchEvent<T>): void {
    if (this.#signal.aborted) return;
    const { store, type, emit } = this.#options;
    const { object } = event;
    if (event.type === "DELETED") emit(store.remove(objectKey(object), withKind(object, type)));
    else if (event.type !== "BOOKMARK") emit(store.put(withKind(object, type)));
    // Last: where a transform or an indexer throws, the event must come again, louder each time, and never be lost.
    this.#failures = 0;
    this.#resourceVersion = object.metadata.resourceVersion || this.#resourceVersion;
  }

  async #recover(error: unknown): Promise<void> {
    if (this.#signal.aborted) return;
    const { type, logger, metrics } = this.#options;
    const gone = isGone(error);
    if (gone) this.#resourceVersion = undefined;
    this.#failures++;
    const delayMs = this.#decideDelayMs(error);
    const reason = error instanceof InferiumError ? error.code : "Unknown";
    metrics?.watchErrors.inc({ resource: type.plural, reason });
    const fields = { resource: type.plural, reason, delayMs, failures: this.#failures, error: describeError(error) };
    logger[gone ? "debug" : "warn"]("list or watch failed; going on", fields);
    await this.#options.clock.sleep(delayMs, this.#signal).catch(() => undefined);
  }

  /** A first 410, or a first WatchList refused, is no fault of the server: go on at once. */
  #decideDelayMs(error: unknown): number {
    const { timing, random } = this.#options;
    const askedMs = retryAfterOf(error) ?? 0;
    if (this.#failures === 1 && (isGone(error) || isUnsupported(error))) return askedMs;
    const backoff = { initialMs: timing.backoffInitialMs, maxMs: timing.backoffMaxMs, random };
    return Math.max(askedMs, computeBackoffMs(this.#failures, backoff));
  }
}

/** Below this, a watch without an event that is "cleanly" closed is a fault: without a wait it would be a busy loop. */
const shortWatchMs = 1_000;

function isUnsupported(error: unknown): boolean {
  if (error instanceof KubeApiError) return [400, 405, 422, 501].includes(error.status);
  return error instanceof InferiumError && error.code === "KubeWatchClosedEarly";
}

function closedEarly(problem: string): InferiumError {
  return new InferiumError("KubeWatchClosedEarly", `The server ended a watch too soon: ${problem}.`, {
    disposition: "retry",
  });
}
