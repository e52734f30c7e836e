/**
 * Whether a leaderboard that has no run in progress begins one now, and when it is to be looked at again. Times that were missed count
 * as one: a run says what is true now, and nothing is gained by two. Pure.
 */
import type { LeaderboardSpec, LeaderboardStatus } from "../../api/v1alpha1/generated/leaderboards.ts";
import { findLatest, parseSchedule } from "../../base/cron-schedule.ts";

export interface StartInput {
  readonly spec: LeaderboardSpec;
  readonly status: LeaderboardStatus | undefined;
  /** Digest of what it measures. */
  readonly measured: string;
  /** When the newest run began; before there was one, when the leaderboard was created. */
  readonly takenMs: number;
  readonly nowMs: number;
}

export interface StartDecision {
  readonly start: boolean;
  /** The time of the schedule that the run is for; absent where it runs for another reason. */
  readonly scheduledForMs?: number;
  /** Of the schedule; absent where there is none, or it is suspended. */
  readonly nextMs?: number;
}

/** @throws InferiumError InvalidSchedule */
export function decideStart({ spec, status, measured, takenMs, nowMs }: StartInput): StartDecision {
  // An older one with the same digest does not count: the ranking is that of the newest.
  const newest = (status?.history ?? []).find(({ outcome }) => outcome !== "Abandoned");
  const isMeasured = newest?.measured === measured;
  if (spec.schedule === undefined) return { start: !spec.suspend && !isMeasured };
  const schedule = parseSchedule(spec.schedule, "UTC");
  if (spec.suspend) return { start: false };
  const nextMs = schedule.next(nowMs);
  const next = nextMs === undefined ? {} : { nextMs };
  const scheduledForMs = findLatest(schedule, takenMs, nowMs);
  if (scheduledForMs !== undefined) return { start: true, scheduledForMs, ...next };
  return { start: spec.runAtLeastOnce && !isMeasured, ...next };
}
