/**
 * Leader election over a coordination.k8s.io Lease: at most one process leads. A holder renews every 2 s and gives up
 * after 10 s without success; others take over once they themselves have seen no change for the lease's 15 s, or at once when
 * it is given back, which they watch for. Expiry is judged by what this process observed on its own monotonic clock, never by
 * the times another host wrote.
 */
import { type Clock, systemClock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import { type Logger, silentLogger } from "../base/log.ts";
import type { Lease } from "./control-types.ts";
import { LeaseHold } from "./lease-hold.ts";
import { watchLease } from "./lease-watch.ts";
import type { KubeMetrics } from "./metrics.ts";
import type { Transport } from "./transport.ts";

export interface LeaseOptions {
  readonly namespace: string;
  readonly name: string;
  /** Unique per process, such as the pod's name and a random part. */
  readonly identity: string;
  /**
   * Begins the leader's work; `signal` aborts when leadership ends. The lease is renewed until the promise settles, so
   * that on a clean stop no other process leads before the work is over.
   */
  readonly onStartedLeading: (signal: AbortSignal) => Promise<void>;
  readonly onStoppedLeading?: (() => void) | undefined;
  readonly leaseDurationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryPeriodMs?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly logger?: Logger;
  readonly metrics?: KubeMetrics | undefined;
}

export interface LeaderElector {
  readonly isLeader: boolean;
  /** Who holds the lease as far as this process has seen. */
  readonly holder: string | undefined;
  /**
   * Contends until `signal` aborts, and again after leadership was lost. Resolves after the work has ended and the lease
   * was released. @throws what `onStartedLeading` throws
   */
  run(signal: AbortSignal): Promise<void>;
}

export function createLeaderElector(transport: Transport, options: LeaseOptions): LeaderElector {
  return new LeaseElector(transport, options);
}

class LeaseElector implements LeaderElector {
  readonly #options: LeaseOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #transport: Transport;
  readonly #hold: LeaseHold;
  readonly #durationMs: number;
  readonly #deadlineMs: number;
  readonly #periodMs: number;
  #isLeader = false;

  constructor(transport: Transport, options: LeaseOptions) {
    this.#options = options;
    this.#transport = transport;
    this.#clock = options.clock ?? systemClock;
    this.#logger = (options.logger ?? silentLogger).child({ lease: options.name, identity: options.identity });
    this.#durationMs = options.leaseDurationMs ?? 15_000;
    this.#deadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#periodMs = options.retryPeriodMs ?? 2_000;
    checkTimes(this.#durationMs, this.#deadlineMs, this.#periodMs);
    const { namespace, name, identity } = options;
    this.#hold = new LeaseHold(transport, {
      namespace,
      name,
      identity,
      durationMs: this.#durationMs,
      clock: this.#clock,
    });
    this.#setLeader(false);
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  get holder(): string | undefined {
    return this.#hold.holder;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const acquired = await this.#acquire(signal);
      if (acquired === undefined) return;
      const lost = await this.#lead(acquired, signal);
      if (!lost) return;
    }
  }

  /** The moment from which the lease is ours; undefined when aborted before. */
  async #acquire(signal: AbortSignal): Promise<number | undefined> {
    const acquired = new AbortController();
    const until = AbortSignal.any([signal, acquired.signal]);
    let watching: Promise<void> | undefined;
    let wake: () => void = () => undefined;
    try {
      while (!signal.aborted) {
        const chance = new AbortController();
        wake = () => chance.abort();
        const startedAt = this.#clock.monotonic();
        if (await this.#tryHold(this.#deadlineMs)) return startedAt;
        watching ??= this.#watch(until, () => wake());
        await this.#pauseToContend(AbortSignal.any([signal, chance.signal]));
      }
      return undefined;
    } finally {
      acquired.abort();
      await watching;
    }
  }

  #watch(signal: AbortSignal, onFree: () => void): Promise<void> {
    const { namespace, name } = this.#options;
    const onChange = (lease: Lease | undefined) => {
      // What was under way when the lease became ours is no news.
      if (signal.aborted) return;
      this.#hold.notice(lease);
      if (!this.#hold.isAnothers) onFree();
    };
    const watch = { namespace, name, pauseMs: this.#periodMs, clock: this.#clock, logger: this.#logger, onChange };
    return watchLease(this.#transport, watch, signal);
  }

  /** One term: true when leadership was lost, false when the work ended and the lease was given back. */
  async #lead(acquiredAt: number, signal: AbortSignal): Promise<boolean> {
    const term = new AbortController();
    const ended = new AbortController();
    const onStop = () => term.abort(signal.reason);
    signal.addEventListener("abort", onStop, { once: true });
    if (signal.aborted) onStop();
    this.#setLeader(true);
    const work = this.#work(term.signal).finally(() => ended.abort());
    try {
      const lost = await this.#renew(acquiredAt, ended.signal);
      if (lost) await this.#endLostTerm(term, work);
      const failure = await work;
      if (failure !== undefined) throw failure.error;
      return lost;
    } finally {
      signal.removeEventListener("abort", onStop);
      this.#setLeader(false);
      this.#options.onStoppedLeading?.();
      if (this.#hold.isOurs) await this.#release();
    }
  }

  /** Never rejects; an error that is only the signal's own reason is the work doing as told. */
  async #work(signal: AbortSignal): Promise<{ readonly error: unknown } | undefined> {
    this.#logger.info("started leading");
    try {
      await this.#options.onStartedLeading(signal);
      return undefined;
    } catch (error) {
      return signal.aborted && error === signal.reason ? undefined : { error };
    }
  }

  /** Renews until the work has ended (false) or the lease is no longer ours (true). */
  async #renew(acquiredAt: number, ended: AbortSignal): Promise<boolean> {
    let renewedAt = acquiredAt;
    for (;;) {
      await this.#pause(ended);
      if (ended.aborted) return false;
      const startedAt = this.#clock.monotonic();
      const remainingMs = renewedAt + this.#deadlineMs - startedAt;
      if (remainingMs <= 0) return true;
      if (await this.#tryHold(remainingMs)) renewedAt = startedAt;
      else if (this.#hold.isAnothers) return true;
    }
  }

  /** The others may lead when the lease runs out: work that has not stopped by then is a fault to die of. */
  async #endLostTerm(term: AbortController, work: Promise<unknown>): Promise<void> {
    this.#logger.error("lost leadership", { holder: this.#hold.holder });
    this.#hold.forget();
    const message = `Lost the lease ${this.#options.namespace}/${this.#options.name} as ${this.#options.identity}.`;
    term.abort(new InferiumError("KubeLeadershipLost", message, { disposition: "retry" }));
    const settled = new AbortController();
    const graceMs = this.#durationMs - this.#deadlineMs;
    const overdue = this.#clock.sleep(graceMs, settled.signal).then(
      () => true,
      () => false,
    );
    const overran = await Promise.race([work.then(() => false), overdue]);
    settled.abort();
    if (!overran) return;
    const overrun = `${message} The leader's work went on ${graceMs} ms after it; end this process.`;
    throw new InferiumError("KubeLeaderOverrun", overrun, { disposition: "fatal" });
  }

  async #tryHold(remainingMs: number): Promise<boolean> {
    try {
      return await this.#hold.acquireOrRenew(Math.min(remainingMs, this.#deadlineMs / 2));
    } catch (error) {
      this.#logger.warn("lease request failed", { leader: this.#isLeader, error: describeError(error) });
      return false;
    }
  }

  async #release(): Promise<void> {
    try {
      await this.#hold.release(this.#deadlineMs / 2);
      this.#logger.info("released the lease");
    } catch (error) {
      this.#logger.warn("could not release the lease; it runs out", { error: describeError(error) });
    }
  }

  /** Not beyond the moment at which the holder's time is over. */
  async #pauseToContend(signal: AbortSignal): Promise<void> {
    const { remainingMs } = this.#hold;
    const isEndNear = remainingMs > 0 && remainingMs < this.#periodMs;
    if (isEndNear) await this.#clock.sleep(remainingMs, signal).catch(() => undefined);
    else await this.#pause(signal);
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const jitter = 1 + (this.#options.random ?? Math.random)() / 5;
    await this.#clock.sleep(this.#periodMs * jitter, signal).catch(() => undefined);
  }

  #setLeader(isLeader: boolean): void {
    this.#isLeader = isLeader;
    this.#options.metrics?.leader.set({ name: this.#options.name }, isLeader ? 1 : 0);
  }
}

function checkTimes(durationMs: number, deadlineMs: number, periodMs: number): void {
  if (durationMs > deadlineMs && deadlineMs > 1.2 * periodMs) return;
  const got = `lease ${durationMs} ms, renewal ${deadlineMs} ms, retry ${periodMs} ms`;
  const message = `Bad lease times: got ${got}; each must exceed the next (the last by a fifth).`;
  throw new InferiumError("KubeBadLeaseTimes", message, { disposition: "fatal" });
}
