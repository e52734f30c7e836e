import { describe, expect, it } from "vitest";
import { parseSchedule } from "../../../../src/base/cron-schedule.ts";
import { decideDueStart } from "../../../../src/embedded/controllers/cron-job/decide-cron.ts";
import { aCronJob, at, now } from "./workload-builders.ts";

const next = (schedule: string, after: string, timeZone?: string) => {
  const time = parseSchedule(schedule, timeZone).next(Date.parse(after));
  return time === undefined ? undefined : new Date(time).toISOString().slice(0, 16);
};

describe("cron schedules", () => {
  it.each([
    ["* * * * *", "2026-01-01T00:00:30Z", "2026-01-01T00:01"],
    ["*/15 * * * *", "2026-01-01T00:15:00Z", "2026-01-01T00:30"],
    ["5-59/20 3 * * *", "2026-01-01T03:05:00Z", "2026-01-01T03:25"],
    ["0 9 * * MON-FRI", "2026-01-02T10:00:00Z", "2026-01-05T09:00"],
    ["0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00"],
    ["0 0 13 * 5", "2026-01-01T00:00:00Z", "2026-01-02T00:00"],
    ["0 0 * * 7", "2026-01-01T00:00:00Z", "2026-01-04T00:00"],
    ["30 1,13 1 jan *", "2026-01-01T02:00:00Z", "2026-01-01T13:30"],
    ["@daily", "2026-01-01T00:00:00Z", "2026-01-02T00:00"],
    ["@every 1h30m", "2026-01-01T00:00:00Z", "2026-01-01T01:30"],
    ["0 0 30 2 *", "2026-01-01T00:00:00Z", undefined],
  ])("%s after %s", (schedule, after, want) => {
    expect(next(schedule, after)).toBe(want);
  });

  it.each([
    ["0 9 * * *", "2026-06-30T23:00:00Z", "Europe/Berlin", "2026-07-01T07:00"],
    ["0 9 * * *", "2026-01-01T00:00:00Z", "America/New_York", "2026-01-01T14:00"],
    // The hour that summer time skips is not there; the day after it is.
    ["30 2 * * *", "2026-03-29T00:00:00Z", "Europe/Berlin", "2026-03-30T00:30"],
    ["0 0 * * *", "2026-01-01T00:00:00Z", "Asia/Kolkata", "2026-01-01T18:30"],
  ])("%s after %s in %s", (schedule, after, zone, want) => {
    expect(next(schedule, after.replace(zone, ""), zone)).toBe(want);
  });

  it.each([
    ["* * * *", undefined, /expected exactly 5 fields, found 4/],
    ["60 * * * *", undefined, /minute "60" is not within 0 to 59/],
    ["5-1 * * * *", undefined, /"5-1" is no range/],
    ["*/0 * * * *", undefined, /no range/],
    ["* * * foo *", undefined, /month "foo"/],
    ["* * * * *", "Mars/Base", /unknown time zone Mars\/Base/],
  ])("refuses %s in %s", (schedule, zone, want) => {
    expect(() => parseSchedule(schedule, zone)).toThrow(want);
  });
});

describe("decideDueStart", () => {
  const due = (cron: ReturnType<typeof aCronJob>) => {
    const { dueAt, missed, nextAt } = decideDueStart(cron, parseSchedule(cron.spec.schedule, undefined), now);
    return {
      dueAt: dueAt === undefined ? undefined : (dueAt - now) / 1000,
      missed,
      next: ((nextAt ?? now) - now) / 1000,
    };
  };

  it("has nothing to do before its first time", () => {
    expect(due(aCronJob("0 12 * * *"))).toEqual({ dueAt: undefined, missed: 0, next: 42_600 });
  });

  it("starts only the latest of what was missed", () => {
    expect(due(aCronJob("*/2 * * * *", {}, { lastScheduleTime: at(-600) }))).toEqual({
      dueAt: 0,
      missed: 5,
      next: 120,
    });
  });

  it("lets go what is later than its deadline", () => {
    const cron = aCronJob("7 * * * *", { startingDeadlineSeconds: 100 }, { lastScheduleTime: at(-4_000) });
    expect(due(cron).dueAt).toBeUndefined();
    expect(due(aCronJob("7 * * * *", { startingDeadlineSeconds: 200 }, { lastScheduleTime: at(-4_000) })).dueAt).toBe(
      -180,
    );
  });

  it("finds the latest start even after a year away", () => {
    expect(due(aCronJob("* * * * *", {}, { lastScheduleTime: "2025-01-01T00:00:00Z" }))).toMatchObject({
      dueAt: 0,
      missed: 100,
    });
  });
});
