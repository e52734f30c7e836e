/** The only place that writes statuses of leaderboards. Effects: one patch, where something changes. */
import type { LeaderboardStatus } from "../../api/v1alpha1/generated/leaderboards.ts";
import { newLeaderboardStatus } from "../../protocol/leaderboard/leaderboard-status.ts";
import type { ChangeContext } from "../../protocol/status-change.ts";
import { formatTime, type LeaderboardObject } from "../kinds.ts";
import { computeMergePatch } from "../merge-patch.ts";
import type { LeaderboardOptions } from "./run-context.ts";

type Change = (status: LeaderboardStatus, context: ChangeContext) => LeaderboardStatus;

/**
 * Names the version that it was decided on: where another has been written meanwhile, it is refused and decided anew. So two
 * operators cannot begin, or count, one run twice. @throws KubeApiError
 */
export async function writeStatus(
  { client, clock, index }: LeaderboardOptions,
  leaderboard: LeaderboardObject,
  change: Change,
): Promise<LeaderboardObject> {
  const { namespace, name, generation = 1, resourceVersion } = leaderboard.metadata;
  const known = leaderboard.status ?? newLeaderboardStatus;
  const patch = computeMergePatch(
    leaderboard.status ?? {},
    change(known, { generation, now: formatTime(clock.now()) }),
  );
  if (!patch) return leaderboard;
  const body = { metadata: { resourceVersion }, status: patch };
  const written = await client.patch({ namespace, name }, { kind: "merge", subresource: "status", body });
  index.put(written);
  return written;
}
