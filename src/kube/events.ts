/**
 * Writes events.k8s.io/v1 Events about objects. Recording never blocks, never throws and never floods: the first of a
 * kind is written at once, repeats are counted into its series and written together, a token bucket bounds the rate, and
 * what does not fit is dropped and counted. Events are news for people; nothing may depend on them.
 */
import { type Clock, systemClock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import { type Logger, silentLogger } from "../base/log.ts";
import { isNotFound } from "./api-error.ts";
import { createClient, type KubeClient } from "./client.ts";
import type { KubeEvent } from "./control-types.ts";
import { events } from "./core-resources.ts";
import { buildEvent, computeSeriesKey, type EventInput, type EventReporter, type Series } from "./event-series.ts";
import type { KubeMetrics } from "./metrics.ts";
import { formatMicroTime } from "./object.ts";
import { TokenBucket } from "./token-bucket.ts";
import type { Transport } from "./transport.ts";

export type { EventInput } from "./event-series.ts";

export interface EventRecorder {
  record(event: EventInput): void;
  /** Writes what is counted and not yet written, for at most `timeoutMs`, and takes no more. */
  stop(timeoutMs: number): Promise<void>;
}

export interface EventRecorderOptions extends EventReporter {
  /** Writes a second over time, and at once. */
  readonly ratePerSecond?: number;
  readonly burst?: number;
  /** Writes that wait, at most. */
  readonly maxPending?: number;
  /** Repeats within this time of the last belong to one series. */
  readonly seriesIdleMs?: number;
  /** How often counted repeats are written. */
  readonly flushMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly metrics?: KubeMetrics | undefined;
}

export function createEventRecorder(transport: Transport, options: EventRecorderOptions): EventRecorder {
  return new SeriesRecorder(transport, options);
}

const maxSeries = 4_096;
const writeTimeoutMs = 5_000;

class SeriesRecorder implements EventRecorder {
  readonly #client: KubeClient<KubeEvent>;
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #bucket: TokenBucket;
  /** In order of last use, so that the oldest goes first when there are too many. */
  readonly #series = new Map<string, Series>();
  readonly #pending: Series[] = [];
  readonly #stopping = new AbortController();
  readonly #stopped = new AbortController();
  #inFlight: Series | undefined;
  #writing: Promise<void> | undefined;
  #flushing: Promise<void> | undefined;

  constructor(transport: Transport, options: EventRecorderOptions) {
    this.#client = createClient(transport, events);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#bucket = new TokenBucket(
      { ratePerSecond: options.ratePerSecond ?? 10, burst: options.burst ?? 50 },
      this.#clock,
    );
  }

  record(input: EventInput): void {
    if (this.#stopping.signal.aborted) return;
    const key = computeSeriesKey(input);
    const known = this.#series.get(key);
    this.#series.delete(key);
    if (known && this.#clock.monotonic() - known.lastSeenAt < (this.#options.seriesIdleMs ?? 360_000)) {
      this.#series.set(key, known);
      this.#repeat(known);
    } else this.#begin(key, input);
  }

  async stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort();
    await this.#flushing;
    this.#enqueueRepeats();
    const timeout = new AbortController();
    const overdue = this.#clock.sleep(timeoutMs, timeout.signal).catch(() => undefined);
    await Promise.race([this.#writing, overdue]);
    timeout.abort();
    this.#stopped.abort();
    this.#discard("stopped", this.#pending.splice(0).length);
  }

  #begin(key: string, input: EventInput): void {
    // Where thousands a second happen most are dropped: nothing is made of those.
    if (this.#isFull) {
      this.#discard("overflow", 1);
      return;
    }
    const event = buildEvent(input, this.#options, this.#clock.now());
    const series: Series = {
      key,
      event,
      count: 1,
      writtenCount: 0,
      lastSeenAt: this.#clock.monotonic(),
      lastSeen: event.eventTime,
    };
    this.#series.set(key, series);
    const [oldest] = this.#series.keys();
    if (this.#series.size > maxSeries && oldest !== undefined) this.#series.delete(oldest);
    this.#enqueue(series);
  }

  #repeat(series: Series): void {
    series.count++;
    series.lastSeenAt = this.#clock.monotonic();
    series.lastSeen = formatMicroTime(this.#clock.now());
    this.#flushing ??= this.#flushLater();
  }

  async #flushLater(): Promise<void> {
    await this.#clock.sleep(this.#options.flushMs ?? 30_000, this.#stopping.signal).catch(() => undefined);
    this.#flushing = undefined;
    this.#enqueueRepeats();
  }

  #enqueueRepeats(): void {
    for (const series of this.#series.values()) {
      if (series.writtenCount > 0 && series.count > series.writtenCount) this.#enqueue(series);
    }
  }

  get #isFull(): boolean {
    return this.#pending.length >= (this.#options.maxPending ?? 1_000);
  }

  #enqueue(series: Series): void {
    if (this.#inFlight === series || this.#pending.includes(series)) return;
    if (this.#isFull) this.#discard("overflow", 1);
    else this.#pending.push(series);
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    for (let series = this.#pending.shift(); series !== undefined; series = this.#pending.shift()) {
      this.#inFlight = series;
      await this.#bucket.take(this.#stopped.signal).catch(() => undefined);
      if (this.#stopped.signal.aborted) this.#discard("stopped", 1);
      else await this.#write(series);
    }
    this.#inFlight = undefined;
    this.#writing = undefined;
  }

  async #write(series: Series): Promise<void> {
    const { count } = series;
    try {
      if (series.writtenCount === 0) {
        await this.#client.create(series.event, { timeoutMs: writeTimeoutMs });
        // As written it stands for one, whatever was counted meanwhile.
        series.writtenCount = 1;
      } else {
        await this.#writeSeries(series, count);
        series.writtenCount = count;
      }
    } catch (error) {
      this.#discard("refused", 1);
      // What comes next begins a new series, or nothing of this one would ever be seen.
      if (series.writtenCount === 0) this.#series.delete(series.key);
      this.#logger.debug("event not written", { reason: series.event.reason, error: describeError(error) });
    }
  }

  async #writeSeries(series: Series, count: number): Promise<void> {
    const { metadata } = series.event;
    const body = { series: { count, lastObservedTime: series.lastSeen } };
    try {
      await this.#client.patch(metadata, { kind: "merge", body, timeoutMs: writeTimeoutMs });
    } catch (error) {
      // The server drops events after an hour or so; the series goes on in a new one.
      if (!isNotFound(error)) throw error;
      await this.#client.create({ ...series.event, ...body }, { timeoutMs: writeTimeoutMs });
    }
  }

  #discard(reason: string, amount: number): void {
    if (amount > 0) this.#options.metrics?.eventsDiscarded.inc({ reason }, amount);
  }
}
