/** Which start of a cron job is due now, and when the next one is. Pure. */

import { type CronSchedule, findLatest } from "../../../base/cron-schedule.ts";
import { parseTime } from "../times.ts";
import type { CronJob } from "../workload-types.ts";

export interface DueStart {
  /** The latest time that is past and not yet served; `undefined` when there is none. */
  readonly dueAt: number | undefined;
  /** Starts that were missed up to then, that one included; at most `maxMissed`. */
  readonly missed: number;
  readonly nextAt: number | undefined;
}

export const maxMissed = 100;

export function decideDueStart(cron: CronJob, schedule: CronSchedule, nowMs: number): DueStart {
  const createdAt = parseTime(cron.metadata.creationTimestamp) ?? nowMs;
  let from = parseTime(cron.status?.lastScheduleTime) ?? createdAt;
  const deadline = cron.spec.startingDeadlineSeconds;
  if (deadline !== undefined) from = Math.max(from, nowMs - deadline * 1000);
  let dueAt: number | undefined;
  let missed = 0;
  for (let time = schedule.next(from); time !== undefined && time <= nowMs; time = schedule.next(time)) {
    dueAt = time;
    missed += 1;
    // After a long time away the latest start is found from its end.
    if (missed === maxMissed) {
      dueAt = findLatest(schedule, time, nowMs) ?? time;
      break;
    }
  }
  return { dueAt, missed, nextAt: schedule.next(nowMs) };
}
