/** What a worker runs now: starts attempts, cancels them, delivers their outcomes, and lets them end on a stop. */
import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import type { ReceiptOutcome, RunningAttempt } from "../pool/wire.ts";
import type { WorkAssignment } from "../pool/work-assignment.ts";
import { claimTypes } from "../protocol/typed-data.ts";
import { type AttemptContext, runAttempt } from "./attempt.ts";
import { type DeliverOptions, deliverOutcome } from "./deliver.ts";
import type { WorkerMetrics } from "./metrics.ts";
import type { SpooledReceipt } from "./spool.ts";

export interface AttemptKey {
  readonly taskId: string;
  readonly attempt: number;
}

export interface Slots {
  readonly running: () => AttemptKey[];
  /** The same with this worker's signature of each claim: its word that it has the work and will answer in time. */
  describe(): Promise<RunningAttempt[]>;
  /** Ignores an attempt that already runs: an answer may have been sent twice. */
  start(assignment: WorkAssignment): void;
  cancel(attempts: readonly AttemptKey[]): void;
  /** Delivers what an earlier run left behind, beside the slots. */
  redeliver(item: SpooledReceipt): void;
  /** Resolves when something that runs ends or the signal is aborted, at once where nothing runs. */
  nextEnd(signal: AbortSignal): Promise<void>;
  /** Lets everything end within the time, then hands back the rest. */
  drain(graceMs: number): Promise<void>;
}

export interface SlotsOptions {
  readonly attempt: AttemptContext;
  readonly deliver: DeliverOptions;
  readonly metrics: WorkerMetrics | undefined;
}

interface Running extends AttemptKey {
  readonly deadlineMs: number;
  /** Once it was asked for: most attempts end before the first heartbeat. */
  signature?: Promise<string>;
  readonly controller: AbortController;
  readonly done: Promise<void>;
}

/** For telling the pool that work is handed back. */
const handBackMs = 5_000;

export function createSlots(options: SlotsOptions): Slots {
  const { clock } = options.attempt;
  const running = new Map<string, Running>();
  const redeliveries = new Set<Promise<unknown>>();
  const stopDelivery = new AbortController();

  async function work(assignment: WorkAssignment, controller: AbortController): Promise<void> {
    const startedAt = clock.monotonic();
    const outcome = await runAttempt(options.attempt, assignment, controller.signal);
    if (isCancelled(controller.signal)) return;
    count(options.metrics, outcome, (clock.monotonic() - startedAt) / 1000);
    log(options.deliver, assignment, outcome);
    const { namespace, task, deadlineMs } = assignment;
    await deliver({ request: { namespace, task, outcome }, deadlineMs });
  }

  async function deliver(item: SpooledReceipt): Promise<void> {
    const result = await deliverOutcome(options.deliver, item, stopDelivery.signal);
    options.metrics?.deliveries.inc({ result });
  }

  function guard(done: Promise<void>, task: string): Promise<void> {
    return done.catch((error: unknown) =>
      options.deliver.logger.error("outcome could not be delivered", { task, error }),
    );
  }

  /** One at a time: a signature takes milliseconds. */
  async function describe(): Promise<RunningAttempt[]> {
    const { signer, domain } = options.attempt;
    const described: RunningAttempt[] = [];
    for (const one of running.values()) {
      const { taskId, attempt, deadlineMs } = one;
      const message = { taskId, attempt, worker: signer.address, deadlineMs };
      one.signature ??= signer.signTypedData(domain, claimTypes, message);
      described.push({ taskId, attempt, claim: { deadlineMs, signature: await one.signature } });
    }
    return described;
  }

  return {
    describe,
    running: () => [...running.values()].map(({ taskId, attempt }) => ({ taskId, attempt })),
    start(assignment) {
      const key = keyOf(assignment);
      if (running.has(key)) return;
      const controller = new AbortController();
      const done = guard(work(assignment, controller), assignment.task).finally(() => {
        running.delete(key);
        options.metrics?.running.set(running.size);
      });
      const { taskId, attempt, deadlineMs } = assignment;
      running.set(key, { taskId, attempt, deadlineMs, controller, done });
      options.metrics?.running.set(running.size);
    },
    cancel(attempts) {
      for (const attempt of attempts) running.get(keyOf(attempt))?.controller.abort(cancelled());
    },
    redeliver(item) {
      const done = guard(deliver(item), item.request.task).finally(() => redeliveries.delete(done));
      redeliveries.add(done);
    },
    nextEnd: (signal) =>
      firstOf(
        [...running.values()].map(({ done }) => done),
        signal,
      ),
    async drain(graceMs) {
      const all = () => Promise.all([...running.values()].map(({ done }) => done));
      await within(all(), graceMs, clock);
      for (const { controller } of running.values()) controller.abort(stopped());
      if (running.size > 0) await within(all(), handBackMs, clock);
      stopDelivery.abort(stopped());
      await Promise.all([all(), ...redeliveries]);
    },
  };
}

function firstOf(ends: readonly Promise<void>[], signal: AbortSignal): Promise<void> {
  if (ends.length === 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      signal.removeEventListener("abort", finish);
      resolve();
    };
    signal.addEventListener("abort", finish, { once: true });
    for (const end of ends) void end.then(finish);
  });
}

/** Leaves no timer behind: it would keep the process alive. */
async function within(work: Promise<unknown>, ms: number, clock: Clock): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, clock.sleep(ms, over.signal).catch(() => undefined)]);
  over.abort();
}

function keyOf({ taskId, attempt }: AttemptKey): string {
  return `${taskId} ${attempt}`;
}

function count(metrics: WorkerMetrics | undefined, outcome: ReceiptOutcome, seconds: number): void {
  metrics?.taskSeconds.observe({ outcome: outcome.kind }, seconds);
  if (outcome.kind === "Completed") metrics?.inferences.inc(outcome.items);
  else metrics?.failures.inc({ reason: outcome.reason });
}

function log({ logger }: DeliverOptions, { task, attempt }: WorkAssignment, outcome: ReceiptOutcome): void {
  if (outcome.kind === "Completed") logger.debug("attempt completed", { task, attempt, items: outcome.items });
  else logger.warn("attempt failed", { task, attempt, reason: outcome.reason, detail: outcome.message });
}

function cancelled(): InferiumError {
  return new InferiumError("Cancelled", "The pool no longer wants this attempt.");
}

function isCancelled(signal: AbortSignal): boolean {
  return signal.reason instanceof InferiumError && signal.reason.code === "Cancelled";
}

function stopped(): InferiumError {
  return new InferiumError("Stopped", "The worker is stopping and hands the attempt back.", { disposition: "retry" });
}
