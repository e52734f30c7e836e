/**
 * A controller: workers that take keys from a queue and reconcile them, one worker per key at a time. A reconcile that
 * throws comes back after its backoff; one that returns `requeueAfterMs` comes back then; otherwise only an event brings
 * a key back. May be run again after a stop: keys that arrive meanwhile wait in the queue.
 */
import { type Clock, systemClock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import { type Logger, silentLogger } from "../base/log.ts";
import { isConflict } from "./api-error.ts";
import { type Deadline, startDeadline } from "./deadline.ts";
import type { Informer } from "./informer.ts";
import type { KubeMetrics } from "./metrics.ts";
import { type AddOptions, createQueue, type WorkQueue } from "./queue.ts";
import type { StoreEvent } from "./store.ts";

export interface ReconcileResult {
  readonly requeueAfterMs?: number | undefined;
}

/** Brings the world of one key nearer to what is wanted. Must heed `signal`: stop and time-out. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult | undefined> | Promise<void>;

export interface ControllerOptions {
  /** Label of its metrics and logs. */
  readonly name: string;
  readonly reconcile: Reconcile;
  /** Keys in work at once. */
  readonly concurrency?: number;
  /** A reconcile's signal aborts after so long. */
  readonly timeoutMs?: number;
  /** Left out: one of its own. */
  readonly queue?: WorkQueue;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly metrics?: KubeMetrics | undefined;
}

export interface WatchPriorities {
  /** Of a change. Default 0. */
  readonly change?: number;
  /** Of what was there at the start. Default -100: a change must not wait behind a first list of many thousands. */
  readonly initial?: number;
}

export interface Controller {
  readonly name: string;
  readonly queue: WorkQueue;
  enqueue(key: string, options?: AddOptions): void;
  /** Enqueues for each event of an informer the keys that `map` gives; without it, the object's own key. */
  watch<R>(informer: Informer<R>, map?: (event: StoreEvent<R>) => Iterable<string>, priorities?: WatchPriorities): void;
  /** Works until `signal` aborts; resolves when the last reconcile in work has ended. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export function createController(options: ControllerOptions): Controller {
  return new QueueController(options);
}

class QueueController implements Controller {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly #options: ControllerOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #active = { workers: 0 };

  constructor(options: ControllerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = (options.logger ?? silentLogger).child({ controller: options.name });
    const { name, metrics, random = Math.random } = options;
    // The metrics outlive a term of leadership, and must not keep all that its controllers know.
    const active = this.#active;
    metrics?.activeCounts.set(name, () => active.workers);
    this.queue = options.queue ?? createQueue({ name, clock: this.#clock, random, metrics });
  }

  enqueue(key: string, options?: AddOptions): void {
    this.queue.add(key, options);
  }

  watch<R>(
    informer: Informer<R>,
    map: (event: StoreEvent<R>) => Iterable<string> = (event) => [event.key],
    priorities: WatchPriorities = {},
  ): void {
    informer.onEvent((event, { initial }) => {
      const priority = initial ? (priorities.initial ?? -100) : (priorities.change ?? 0);
      for (const key of map(event)) this.queue.add(key, { priority });
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const workers = Array.from({ length: this.#options.concurrency ?? 1 }, () => this.#work(signal));
    await Promise.all(workers);
    this.queue.flush();
  }

  async #work(signal: AbortSignal): Promise<void> {
    let deadline: Deadline | undefined;
    while (!signal.aborted) {
      const key = await this.queue.take(signal).catch(() => undefined);
      if (key === undefined) break;
      if (signal.aborted) this.queue.add(key);
      else {
        deadline = this.#startDeadline(deadline, signal);
        await this.#reconcileOne(key, deadline.signal, signal);
      }
      this.queue.done(key);
    }
    deadline?.release();
  }

  /** One serves a worker until it has passed: to make one for each reconcile would cost more than many a reconcile. */
  #startDeadline(last: Deadline | undefined, stop: AbortSignal): Deadline {
    if (last !== undefined && !last.aborted) {
      last.restart();
      return last;
    }
    last?.release();
    return startDeadline(this.#options.timeoutMs ?? 120_000, stop);
  }

  async #reconcileOne(key: string, signal: AbortSignal, stop: AbortSignal): Promise<void> {
    const { metrics, reconcile } = this.#options;
    const startedAt = this.#clock.monotonic();
    this.#active.workers++;
    try {
      this.#settle(key, (await reconcile(key, signal)) ?? {});
    } catch (error) {
      this.#fail(key, error, stop);
    } finally {
      this.#active.workers--;
      metrics?.reconcileTime.observe({ controller: this.name }, (this.#clock.monotonic() - startedAt) / 1000);
    }
  }

  #settle(key: string, result: ReconcileResult): void {
    this.queue.forget(key);
    const again = result.requeueAfterMs !== undefined;
    if (again) this.queue.addAfter(key, result.requeueAfterMs ?? 0);
    this.#options.metrics?.reconciles.inc({ controller: this.name, result: again ? "requeue_after" : "success" });
  }

  #fail(key: string, error: unknown, stop: AbortSignal): void {
    const delayMs = this.queue.retry(key);
    // Cut off by our own stop: the key waits for the next run, and nobody is to blame.
    if (stop.aborted) return;
    const { metrics } = this.#options;
    metrics?.reconciles.inc({ controller: this.name, result: "error" });
    metrics?.reconcileErrors.inc({ controller: this.name });
    const code = error instanceof InferiumError ? error.code : "Unknown";
    const fields = { key, code, attempt: this.queue.failures(key), delayMs, error: describeError(error) };
    // A lost race is the normal course of optimistic concurrency.
    this.#logger[isConflict(error) ? "debug" : "error"]("reconcile failed", fields);
  }
}
