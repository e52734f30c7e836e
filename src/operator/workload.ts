/** Which tasks each worker runs now, and how long tasks spend in each stage. Follows the ledger. */
import type { Clock } from "../base/clock.ts";
import { type Stage, stageOf } from "../protocol/task-stage.ts";
import type { TaskEntry } from "./ledger.ts";
import type { OperatorMetrics } from "./metrics.ts";

export class Workload {
  readonly #clock: Clock;
  readonly #metrics: OperatorMetrics;
  /** Keys of running tasks by name of the worker. */
  readonly #running = new Map<string, Set<string>>();
  readonly #stages = new Map<string, { readonly stage: Stage; readonly sinceMs: number }>();

  constructor(clock: Clock, metrics: OperatorMetrics) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** Keys of the tasks that the worker runs. */
  of(worker: string): ReadonlySet<string> {
    return this.#running.get(worker) ?? none;
  }

  /** Answers the worker whose slot became free, if one did. */
  observe(key: string, entry: TaskEntry | undefined, previous: TaskEntry | undefined): string | undefined {
    this.#time(key, entry);
    const before = previous && runningOn(previous);
    const now = entry && runningOn(entry);
    if (before === now) return undefined;
    if (before !== undefined) this.#remove(before, key);
    if (now !== undefined) this.#running.set(now, (this.#running.get(now) ?? new Set()).add(key));
    return before;
  }

  #remove(worker: string, key: string): void {
    const keys = this.#running.get(worker);
    keys?.delete(key);
    if (keys?.size === 0) this.#running.delete(worker);
  }

  #time(key: string, entry: TaskEntry | undefined): void {
    const known = this.#stages.get(key);
    const stage = entry && stageOf(entry.status);
    if (stage === undefined || stage === "Done") this.#stages.delete(key);
    if (known?.stage === stage) return;
    const nowMs = this.#clock.monotonic();
    if (known && stage) this.#metrics.stageSeconds.observe({ stage: known.stage }, (nowMs - known.sinceMs) / 1_000);
    if (stage !== undefined && stage !== "Done") this.#stages.set(key, { stage, sinceMs: nowMs });
    this.#metrics.backlog.inc(backlogShare(stage) - backlogShare(known?.stage));
  }
}

/** Receipts pile up here while the chain is away. */
function backlogShare(stage: Stage | undefined): number {
  return stage === "Judge" || stage === "Settle" ? 1 : 0;
}

const none: ReadonlySet<string> = new Set();

function runningOn({ status }: TaskEntry): string | undefined {
  return stageOf(status) === "Run" ? status.assignment?.worker : undefined;
}
