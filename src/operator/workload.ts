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
  /** When each task came to the stage that it is in, by its key: a whole number, which takes no memory of its own. */
  readonly #sinceMs: Readonly<Record<OpenStage, Map<string, number>>> = {
    ...{ Wait: new Map(), Run: new Map(), Judge: new Map(), Settle: new Map() },
  };

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
    this.#time(key, entry, previous);
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

  #time(key: string, entry: TaskEntry | undefined, previous: TaskEntry | undefined): void {
    const before = previous && openStageOf(previous);
    const stage = entry && openStageOf(entry);
    if (before === stage) return;
    const nowMs = Math.round(this.#clock.monotonic());
    const sinceMs = before && this.#sinceMs[before].get(key);
    if (before !== undefined) this.#sinceMs[before].delete(key);
    if (stage !== undefined) this.#sinceMs[stage].set(key, nowMs);
    if (before !== undefined && sinceMs !== undefined && entry)
      this.#metrics.stageSeconds.observe({ stage: before }, (nowMs - sinceMs) / 1_000);
    const more = backlogShare(stage) - backlogShare(before);
    if (more !== 0) this.#metrics.backlog.inc(more);
  }
}

type OpenStage = Exclude<Stage, "Done">;

/** Undefined where the task is over. */
function openStageOf({ status }: TaskEntry): OpenStage | undefined {
  const stage = stageOf(status);
  return stage === "Done" ? undefined : stage;
}

/** Receipts pile up here while the chain is away. */
function backlogShare(stage: Stage | undefined): number {
  return stage === "Judge" || stage === "Settle" ? 1 : 0;
}

const none: ReadonlySet<string> = new Set();

function runningOn({ status }: TaskEntry): string | undefined {
  return stageOf(status) === "Run" ? status.assignment?.worker : undefined;
}
