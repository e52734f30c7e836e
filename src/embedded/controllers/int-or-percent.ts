/** Counts that may be a share of a total: `3` or `"25%"`. Pure. */
import type { IntOrPercent } from "./workload-types.ts";

/** What does not read as a number or a percentage counts as nothing: the API server refuses it before. */
export function resolveCount(value: IntOrPercent | undefined, total: number, round: "up" | "down"): number {
  if (value === undefined) return 0;
  if (typeof value === "number") return value;
  const percent = /^(\d+)%$/.exec(value)?.[1];
  if (percent === undefined) return /^\d+$/.test(value) ? Number(value) : 0;
  const exact = (Number(percent) * total) / 100;
  return round === "up" ? Math.ceil(exact) : Math.floor(exact);
}

export interface RollingBounds {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** Surge rounds up and unavailability down; where both come to nothing one pod may go, or a rollout would never move. */
export function resolveRollingBounds(
  limits: { readonly maxSurge?: IntOrPercent; readonly maxUnavailable?: IntOrPercent },
  desired: number,
): RollingBounds {
  const maxSurge = resolveCount(limits.maxSurge, desired, "up");
  const maxUnavailable = resolveCount(limits.maxUnavailable, desired, "down");
  return { maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable };
}
