/** Where each shard of a batch is and what it waits for, as `inferium explain` shows it. Pure. */
import type { InferenceTask } from "../api/v1alpha1/types.ts";
import { readShard } from "../protocol/shards/shard-task.ts";
import { phaseOf, summaryOf } from "./task-summary.ts";

export interface ShardRow {
  readonly index: number;
  /** A second copy of a slow one. */
  readonly isDuplicate: boolean;
  readonly task: string;
  readonly phase: string;
  readonly worker?: string;
  readonly attempts: number;
  /** Undefined where no operator has said anything yet. */
  readonly why?: string;
}

/** In the order of the items, a duplicate behind its first copy. */
export function viewShards(tasks: readonly InferenceTask[]): ShardRow[] {
  const rows = tasks.flatMap((task) => {
    const shard = readShard(task);
    return shard ? [toRow(task, shard)] : [];
  });
  return rows.sort((a, b) => a.index - b.index || Number(a.isDuplicate) - Number(b.isDuplicate));
}

function toRow(task: InferenceTask, { index, isDuplicate }: Pick<ShardRow, "index" | "isDuplicate">): ShardRow {
  const { assignment, attempts = [] } = task.status ?? {};
  const why = summaryOf(task);
  return {
    ...{ index, isDuplicate, task: task.metadata.name, phase: phaseOf(task) },
    ...(assignment ? { worker: assignment.worker } : {}),
    attempts: attempts.length,
    ...(why === undefined ? {} : { why }),
  };
}

export const shardHeader = ["SHARD", "TASK", "PHASE", "WORKER", "FAILED", "WHY"];

export function toShardCells({ index, isDuplicate, task, phase, worker, attempts, why }: ShardRow): string[] {
  const place = `${index}${isDuplicate ? " (second copy)" : ""}`;
  return [place, task, phase, worker ?? "-", String(attempts), why ?? "It waits for its turn."];
}
