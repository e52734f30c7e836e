/**
 * Leaderboards: a run in progress goes on from what its tasks say, or ends where what it measures was changed; otherwise one begins when
 * it is due. Its tasks go through the stages as everybody's do; nothing here runs, checks or pays for anything.
 */
import type { Reconcile } from "../../kube/controller.ts";
import { abandonRun } from "../../protocol/leaderboard/leaderboard-status.ts";
import { digestMeasured } from "../../protocol/leaderboard/measured.ts";
import { advanceRun } from "../leaderboard/advance-run.ts";
import { beginOrRest } from "../leaderboard/begin-run.ts";
import type { LeaderboardOptions } from "../leaderboard/run-context.ts";
import { writeStatus } from "../leaderboard/write-status.ts";

export function createLeaderboardStage(parts: Omit<LeaderboardOptions, "toldAtMs">): Reconcile {
  const options = { ...parts, toldAtMs: new Map<string, number>() };
  return async (key) => {
    const leaderboard = options.index.get(key);
    options.metrics.leaderboards.set(options.index.size);
    if (!leaderboard || leaderboard.metadata.deletionTimestamp !== undefined) return undefined;
    const run = leaderboard.status?.run;
    if (!run) {
      options.toldAtMs.delete(leaderboard.metadata.uid ?? "");
      return beginOrRest(options, leaderboard);
    }
    if (run.measured === digestMeasured(leaderboard.spec)) return advanceRun(options, leaderboard, run);
    await writeStatus(options, leaderboard, (status, context) => abandonRun(status, leaderboard.spec, context));
    options.metrics.leaderboardRuns.inc({ outcome: "Abandoned" });
    return undefined;
  };
}
