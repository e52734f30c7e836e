/** Stage 2: what the pool knows of a task. Types alone. */
import type { Requirements } from "./matching.ts";

export interface FailedWorker {
  readonly worker: string;
  readonly owner?: string;
  /** It has not failed the task: neither it nor its owner's others may have it, whoever else could take it. */
  readonly isBarred?: boolean;
}

export interface WaitingTask {
  /** namespace/name */
  readonly id: string;
  /** Smaller goes first; see computeQueueKey. */
  readonly key: number;
  /** A whole number, 0 where left out: it is in the key too, and decides alone who gives way to whom. */
  readonly priority?: number;
  /** Whose share it takes; see tenantOf. */
  readonly tenant: string;
  readonly requirements: Requirements;
  readonly model: string;
  readonly failedWorkers: readonly FailedWorker[];
}

/** A task that runs already; who gives way to whom is told from its rank, where that is known. */
export type RunningAlready = Pick<WaitingTask, "id" | "tenant" | "requirements" | "priority"> &
  Partial<Pick<WaitingTask, "key">>;
