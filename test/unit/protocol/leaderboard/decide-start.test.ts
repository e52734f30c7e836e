import { describe, expect, test } from "vitest";
import type { LeaderboardSpec, LeaderboardStatus } from "../../../../src/api/v1alpha1/generated/leaderboards.ts";
import { decideStart } from "../../../../src/protocol/leaderboard/decide-start.ts";
import { digestMeasured } from "../../../../src/protocol/leaderboard/measured.ts";

const at = (text: string) => Date.parse(`2026-11-27T${text}Z`);
const spec = (change: Partial<LeaderboardSpec> = {}) =>
  ({ suspend: false, runAtLeastOnce: true, ...change }) as LeaderboardSpec;
type Finished = NonNullable<LeaderboardStatus["lastRun"]>;
const ran = (...runs: { measured: string; outcome?: Finished["outcome"] }[]) =>
  ({
    observedGeneration: 1,
    phase: "Ranked",
    lastRun: runs[0],
    history: runs.map((run) => ({ outcome: "Succeeded", ...run })),
  }) as LeaderboardStatus;

describe("a leaderboard without a schedule", () => {
  const decide = (status: LeaderboardStatus | undefined, change: Partial<LeaderboardSpec> = {}) =>
    decideStart({ spec: spec(change), status, measured: "a", takenMs: 0, nowMs: at("10:00:00") }).start;

  test.each([
    { name: "runs once", status: undefined, want: true },
    { name: "does not run again for the same", status: ran({ measured: "a" }), want: false },
    { name: "does not run again after it failed", status: ran({ measured: "a", outcome: "Failed" }), want: false },
    { name: "runs again for something else", status: ran({ measured: "b" }), want: true },
    {
      name: "runs again for what it measured before the last",
      status: ran({ measured: "b" }, { measured: "a" }),
      want: true,
    },
    { name: "runs again after a run was abandoned", status: ran({ measured: "a", outcome: "Abandoned" }), want: true },
    {
      name: "does not run again where what was changed meanwhile was changed back",
      status: ran({ measured: "b", outcome: "Abandoned" }, { measured: "a" }),
      want: false,
    },
  ])("$name", ({ status, want }) => {
    expect(decide(status)).toBe(want);
  });

  test("does not run while it is suspended", () => {
    expect(decide(undefined, { suspend: true })).toBe(false);
  });
});

describe("a leaderboard with a schedule", () => {
  const decide = (taken: string, now: string, change: Partial<LeaderboardSpec> = {}) =>
    decideStart({
      spec: spec({ schedule: "0 * * * *", ...change }),
      ...{ status: ran({ measured: "a" }), measured: "a", takenMs: at(taken), nowMs: at(now) },
    });

  test("waits for its time, and tells it", () => {
    expect(decide("09:30:00", "09:59:59")).toEqual({ start: false, nextMs: at("10:00:00") });
  });

  test("runs at its time, and for it", () => {
    const want = { start: true, scheduledForMs: at("10:00:00"), nextMs: at("11:00:00") };
    expect(decide("09:30:00", "10:00:00")).toEqual(want);
    expect(decide("10:00:00", "10:20:00").start).toBe(false);
  });

  test("runs once for all the times that it missed", () => {
    expect(decide("01:00:05", "10:20:00")).toMatchObject({ start: true, scheduledForMs: at("10:00:00") });
  });

  test("runs at once for what it never measured, unless it is told not to", () => {
    const input = { measured: "new", takenMs: at("09:30:00"), nowMs: at("09:40:00"), status: ran({ measured: "a" }) };
    const runAtLeastOnce = (value: boolean) =>
      decideStart({ ...input, spec: spec({ schedule: "0 * * * *", runAtLeastOnce: value }) });
    expect(runAtLeastOnce(true)).toEqual({ start: true, nextMs: at("10:00:00") });
    expect(runAtLeastOnce(false)).toEqual({ start: false, nextMs: at("10:00:00") });
  });

  test("tells no time while it is suspended", () => {
    expect(decide("01:00:00", "10:20:00", { suspend: true })).toEqual({ start: false });
  });

  test("says which schedule is none", () => {
    expect(() => decide("01:00:00", "10:20:00", { schedule: "61 * * * *" })).toThrow(
      /minute "61" is not within 0 to 59/,
    );
  });
});

test("what a run measures is the same whatever the order of fields, and without what only says when", () => {
  const models = [{ name: "m", uri: "u", digest: "d", outputName: "o" }];
  const one = { ...spec(), task: "Classification", models, metrics: ["Accuracy"] } as unknown as LeaderboardSpec;
  const other = {
    ...one,
    models: [{ outputName: "o", digest: "d", uri: "u", name: "m" }],
    schedule: "@daily",
    suspend: true,
  };
  expect(digestMeasured(other as LeaderboardSpec)).toBe(digestMeasured(one));
  expect(digestMeasured({ ...one, metrics: ["F1"] })).not.toBe(digestMeasured(one));
});
