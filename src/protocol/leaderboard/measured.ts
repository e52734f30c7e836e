/** What a run of a leaderboard measures, as a digest: two runs with the same one can be compared, and a change asks for another run. Pure. */
import type { LeaderboardSpec } from "../../api/v1alpha1/generated/leaderboards.ts";
import { type Digest, sha256 } from "../../base/digest.ts";

export function digestMeasured({ task, models, dataset, metrics, verification }: LeaderboardSpec): Digest {
  return sha256(JSON.stringify(inOrder({ task, models, dataset, metrics, verification })));
}

/** Servers keep fields in an order of their own. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, field]) => [name, inOrder(field)]));
}
