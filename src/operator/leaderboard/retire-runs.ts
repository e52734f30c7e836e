/** Deletes the tasks of older runs, and those of the newest that nobody waits for any more. Effects: deletes tasks. */

import { isConditionTrue } from "../../api/v1alpha1/conditions.ts";
import { labels } from "../../api/v1alpha1/labels.ts";
import { isNotFound } from "../../kube/api-error.ts";
import { stageOf } from "../../protocol/task-stage.ts";
import type { LeaderboardObject } from "../kinds.ts";
import type { TaskEntry } from "../ledger.ts";
import { mapConcurrently } from "../map-concurrently.ts";
import type { LeaderboardOptions } from "./run-context.ts";

const deletesAtOnce = 4;

export function runOf({ task }: TaskEntry): number {
  return Number(task.metadata.labels?.[labels.leaderboardRun] ?? 0);
}

/** While no run is in progress. */
export async function retireRuns(options: LeaderboardOptions, leaderboard: LeaderboardObject): Promise<void> {
  const { lastRun } = leaderboard.status ?? {};
  if (!lastRun) return;
  const keptFrom = lastRun.number - leaderboard.spec.keepRuns;
  const surplus = options.index.tasksOf(leaderboard).filter((entry) => {
    const isOld = runOf(entry) < keptFrom || (lastRun.outcome === "Abandoned" && runOf(entry) === lastRun.number);
    const isUnwanted = runOf(entry) <= lastRun.number && stageOf(entry.status) === "Wait";
    // A jury could not run it again.
    return (isOld || isUnwanted) && !isConditionTrue(entry.status.conditions, "Disputed");
  });
  await mapConcurrently(surplus, deletesAtOnce, ({ task, uid }) => {
    const { namespace, name } = task.metadata;
    return options.tasks
      .delete({ namespace, name }, { preconditions: { uid }, propagation: "Background" })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  });
}
