/**
 * Starts and stops the parts of one controller process in the right order:
 * informers -> full lists -> leadership (if a lease is given) -> controllers; and back on a stop, within the grace time:
 * controllers end their work -> the lease is given back -> events are flushed -> informers stop.
 * Informers follow the server from the start, also in a standby, so that taking over needs no list.
 */
import { type Clock, systemClock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import { type Logger, silentLogger } from "../base/log.ts";
import type { Controller } from "./controller.ts";
import type { EventRecorder } from "./events.ts";
import type { HealthChecks } from "./health-server.ts";
import type { Informer } from "./informer.ts";
import { createLeaderElector, type LeaderElector, type LeaseOptions } from "./lease.ts";
import type { Transport } from "./transport.ts";

/** Work besides controllers that only the leader does; ends when its signal aborts. */
export type LeaderTask = (signal: AbortSignal) => Promise<void>;

export interface ManagerOptions {
  readonly informers?: readonly Pick<Informer<unknown>, "resource" | "hasSynced" | "start" | "synced" | "stop">[];
  readonly controllers?: readonly Controller[];
  readonly leaderTasks?: readonly LeaderTask[];
  /** Left out: no election, the controllers run at once. */
  readonly lease?: { readonly transport: Transport } & Omit<LeaseOptions, "onStartedLeading" | "onStoppedLeading">;
  readonly recorder?: EventRecorder | undefined;
  readonly syncTimeoutMs?: number;
  readonly gracePeriodMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface Manager {
  /** For `/readyz`: informers hold a full list. A standby is ready: it must not be restarted for waiting. */
  readonly readyChecks: HealthChecks;
  readonly isLeader: boolean;
  /**
   * Runs until `signal` aborts or a part fails for good. Resolves after a stop in good order.
   * @throws InferiumError KubeInformerNotSynced, KubeStopTimedOut, or what a leader task threw
   */
  run(signal: AbortSignal): Promise<void>;
}

export function createManager(options: ManagerOptions): Manager {
  return new PartsManager(options);
}

class PartsManager implements Manager {
  readonly readyChecks: HealthChecks;
  readonly #options: ManagerOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #elector: LeaderElector | undefined;

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.readyChecks = { informers: () => this.#checkInformers() };
    const lease = options.lease;
    if (!lease) return;
    const onStartedLeading = (signal: AbortSignal) => this.#lead(signal);
    this.#elector = createLeaderElector(lease.transport, {
      clock: this.#clock,
      logger: this.#logger,
      ...lease,
      onStartedLeading,
    });
  }

  get isLeader(): boolean {
    return this.#elector?.isLeader ?? true;
  }

  async run(signal: AbortSignal): Promise<void> {
    const ending = new AbortController();
    const onStop = () => ending.abort(signal.reason);
    signal.addEventListener("abort", onStop, { once: true });
    if (signal.aborted) onStop();
    const work = this.#runParts(ending.signal);
    try {
      await Promise.race([work, this.#watchdog(ending.signal)]);
    } finally {
      signal.removeEventListener("abort", onStop);
      ending.abort();
    }
  }

  async #runParts(signal: AbortSignal): Promise<void> {
    const informers = this.#options.informers ?? [];
    try {
      for (const informer of informers) informer.start();
      await this.#synced(signal);
      if (signal.aborted) return;
      this.#logger.info("informers synced", { resources: informers.map((informer) => informer.resource) });
      await (this.#elector ? this.#elector.run(signal) : this.#lead(signal));
    } finally {
      await this.#options.recorder?.stop(flushTimeoutMs);
      await Promise.all(informers.map((informer) => informer.stop()));
    }
  }

  async #synced(signal: AbortSignal): Promise<void> {
    const timeoutMs = this.#options.syncTimeoutMs ?? 120_000;
    const all = Promise.all((this.#options.informers ?? []).map((informer) => informer.synced(timeoutMs)));
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => stop(), { once: true });
    if (signal.aborted) stop();
    await Promise.race([all, stopped]);
    all.catch(() => undefined);
  }

  /** The leader's work: ends when all of it has ended. One failed task ends the others. */
  async #lead(signal: AbortSignal): Promise<void> {
    const term = new AbortController();
    const onStop = () => term.abort(signal.reason);
    signal.addEventListener("abort", onStop, { once: true });
    if (signal.aborted) onStop();
    const tasks = [
      ...(this.#options.controllers ?? []).map((controller) => controller.run(term.signal)),
      ...(this.#options.leaderTasks ?? []).map((task) => task(term.signal)),
    ];
    for (const task of tasks) task.catch((error: unknown) => term.abort(error));
    const results = await Promise.allSettled(tasks);
    signal.removeEventListener("abort", onStop);
    const failed = results.find((result) => result.status === "rejected" && result.reason !== signal.reason);
    if (failed?.status === "rejected") throw failed.reason;
  }

  /** Rejects when a stop takes longer than the grace time; otherwise stays pending and holds no timer. */
  #watchdog(signal: AbortSignal): Promise<never> {
    const graceMs = this.#options.gracePeriodMs ?? 30_000;
    return new Promise((_, reject) => {
      const onStop = () => {
        const timer = setTimeout(() => reject(stopTimedOut(graceMs)), graceMs);
        timer.unref();
      };
      signal.addEventListener("abort", onStop, { once: true });
      if (signal.aborted) onStop();
    });
  }

  #checkInformers(): boolean | string {
    const missing = (this.#options.informers ?? []).filter((informer) => !informer.hasSynced);
    return missing.length === 0 || `no full list yet of ${missing.map((informer) => informer.resource).join(", ")}`;
  }
}

const flushTimeoutMs = 2_000;

function stopTimedOut(graceMs: number): InferiumError {
  const message = `Work went on ${graceMs} ms after the stop. A reconcile ignores its signal; end this process.`;
  return new InferiumError("KubeStopTimedOut", message, { disposition: "fatal" });
}
