/**
 * The work queue of a controller. A key waits at most once and is held by one worker at a time: a key added while it is
 * being worked on comes back when that worker is done. Higher priority first, then first come, first served. Its length
 * is bounded by the number of distinct keys, that is, of objects. Failures back off per key.
 */
import { computeBackoffMs } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { DelayHeap, type Due } from "./delay-heap.ts";
import type { KubeMetrics } from "./metrics.ts";
import { WaitingKeys } from "./waiting-keys.ts";

export interface QueueOptions {
  /** Label of its metrics. */
  readonly name: string;
  readonly backoffInitialMs?: number;
  readonly backoffMaxMs?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly metrics?: KubeMetrics | undefined;
}

export interface AddOptions {
  /**
   * Higher goes first; 0 unless told otherwise, and for a key that comes back from work (`retry`, `addAfter`) the one it
   * was taken with. A waiting key keeps the highest it was given.
   */
  readonly priority?: number | undefined;
}

export interface WorkQueue {
  add(key: string, options?: AddOptions): void;
  /** Adds the key after `delayMs`; of several delays of one key, the earliest counts. */
  addAfter(key: string, delayMs: number, options?: AddOptions): void;
  /** Adds the key after its own backoff, which grows with each call until `forget`. Returns the delay. */
  retry(key: string, options?: AddOptions): number;
  /** Resets the key's backoff. */
  forget(key: string): void;
  /** Failures since the last `forget`. */
  failures(key: string): number;
  /** The next key, which is the caller's until `done`. Rejects with the signal's reason when aborted. */
  take(signal: AbortSignal): Promise<string>;
  /** Ends the caller's hold on the key. */
  done(key: string): void;
  /** Keys that wait now, without those delayed or in work. */
  readonly length: number;
  /** Ends all delays: those keys wait from now on, and no timer is left. For when the workers stop. */
  flush(): void;
}

export function createQueue(options: QueueOptions): WorkQueue {
  return new KeyQueue(options);
}

interface InWork {
  readonly since: number;
  readonly priority: number;
}

interface Delayed extends Due {
  readonly key: string;
  priority: number;
}

interface Waiter {
  readonly signal: AbortSignal;
  readonly resolve: (key: string) => void;
  readonly reject: (reason: unknown) => void;
}

class KeyQueue implements WorkQueue {
  readonly #options: QueueOptions;
  readonly #clock: Clock;
  readonly #waiting = new WaitingKeys();
  readonly #inWork = new Map<string, InWork>();
  /** Added while in work, with the priority to come back with. */
  readonly #dirty = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();
  /** Signals of waiters, each with one listener: the hundred workers of all queues share one signal, and wait again for each key. */
  readonly #heard = new WeakSet<AbortSignal>();
  readonly #delays = new DelayHeap<Delayed>();
  /** Of each key the delay that counts, which is in `#delays` as well. */
  readonly #delayed = new Map<string, Delayed>();
  #timer: { readonly at: number; readonly cancel: AbortController } | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    // The metrics outlive a queue.
    const waiting = new WeakRef(this.#waiting);
    options.metrics?.queueDepths.set(options.name, () => waiting.deref()?.size ?? 0);
  }

  get length(): number {
    return this.#waiting.size;
  }

  add(key: string, options: AddOptions = {}): void {
    const priority = options.priority ?? 0;
    if (this.#inWork.has(key)) {
      this.#dirty.set(key, Math.max(priority, this.#dirty.get(key) ?? Number.NEGATIVE_INFINITY));
      return;
    }
    const known = this.#waiting.get(key);
    if (known && known.priority >= priority) return;
    if (!known) this.#options.metrics?.queueAdds.inc({ name: this.#options.name });
    this.#waiting.put({ key, priority, since: known?.since ?? Math.round(this.#clock.monotonic()) });
    this.#handOut();
  }

  addAfter(key: string, delayMs: number, options: AddOptions = {}): void {
    if (delayMs <= 0) {
      this.add(key, { priority: options.priority ?? this.#inWork.get(key)?.priority });
      return;
    }
    // A whole number takes no memory of its own: as many keys may wait as there are objects.
    const at = Math.ceil(this.#clock.monotonic() + delayMs);
    const known = this.#delayed.get(key);
    const own = options.priority ?? this.#inWork.get(key)?.priority ?? 0;
    const priority = Math.max(own, known?.priority ?? Number.NEGATIVE_INFINITY);
    if (known && known.at <= at) {
      known.priority = priority;
      return;
    }
    const delayed = { at, key, priority };
    this.#delayed.set(key, delayed);
    this.#delays.push(delayed);
    this.#schedule();
  }

  retry(key: string, options: AddOptions = {}): number {
    const failures = this.failures(key) + 1;
    this.#failures.set(key, failures);
    const delayMs = computeBackoffMs(failures, {
      initialMs: this.#options.backoffInitialMs ?? 20,
      maxMs: this.#options.backoffMaxMs ?? 120_000,
      random: this.#options.random ?? Math.random,
    });
    this.#options.metrics?.queueRetries.inc({ name: this.#options.name });
    this.addAfter(key, delayMs, options);
    return delayMs;
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  take(signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const waiter: Waiter = { signal, resolve, reject };
      this.#endWith(signal);
      this.#waiters.add(waiter);
      this.#handOut();
    });
  }

  #endWith(signal: AbortSignal): void {
    if (this.#heard.has(signal)) return;
    this.#heard.add(signal);
    const onAbort = () => {
      for (const waiter of [...this.#waiters]) {
        if (waiter.signal === signal && this.#waiters.delete(waiter)) waiter.reject(signal.reason);
      }
    };
    signal.addEventListener("abort", onAbort, { once: true });
  }

  done(key: string): void {
    const work = this.#inWork.get(key);
    if (work === undefined) return;
    this.#inWork.delete(key);
    const seconds = (this.#clock.monotonic() - work.since) / 1000;
    this.#options.metrics?.queueWork.observe({ name: this.#options.name }, seconds);
    const priority = this.#dirty.get(key);
    if (priority === undefined) return;
    this.#dirty.delete(key);
    this.add(key, { priority });
  }

  flush(): void {
    this.#timer?.cancel.abort();
    this.#timer = undefined;
    this.#addDue(Number.POSITIVE_INFINITY);
  }

  #handOut(): void {
    for (const waiter of this.#waiters) {
      const key = this.#next();
      if (key === undefined) return;
      this.#waiters.delete(waiter);
      waiter.resolve(key);
    }
  }

  #next(): string | undefined {
    const next = this.#waiting.shift();
    if (next === undefined) return undefined;
    const { key, priority, since } = next;
    const now = this.#clock.monotonic();
    this.#inWork.set(key, { since: now, priority });
    this.#options.metrics?.queueWait.observe({ name: this.#options.name }, Math.max(0, now - since) / 1000);
    return key;
  }

  /** One timer, for the earliest delay. */
  #schedule(): void {
    const first = this.#delays.peek();
    if (first === undefined || (this.#timer && this.#timer.at <= first.at)) return;
    this.#timer?.cancel.abort();
    const timer = { at: first.at, cancel: new AbortController() };
    this.#timer = timer;
    const delayMs = Math.max(0, first.at - this.#clock.monotonic());
    const onDue = () => {
      if (this.#timer !== timer) return;
      this.#timer = undefined;
      this.#addDue(this.#clock.monotonic());
      this.#schedule();
    };
    this.#clock.sleep(delayMs, timer.cancel.signal).then(onDue, () => undefined);
  }

  #addDue(now: number): void {
    for (let first = this.#delays.peek(); first !== undefined && first.at <= now; first = this.#delays.peek()) {
      this.#delays.pop();
      // One that an earlier delay of the same key has overtaken.
      if (this.#delayed.get(first.key) !== first) continue;
      this.#delayed.delete(first.key);
      this.add(first.key, { priority: first.priority });
    }
  }
}
