import { describe, expect, it } from "vitest";
import {
  advanceBackoff,
  type CrashBackoff,
  computeRestartAt,
  defaultCrashBackoff,
} from "../../../../src/embedded/kubelet/crash-backoff.ts";

/** Pauses before each restart of a container that runs for `runMs` and fails, on a clock that only they move. */
function simulate(restarts: number, runMs: number): number[] {
  let now = 0;
  let backoff: CrashBackoff | undefined;
  return Array.from({ length: restarts }, () => {
    now += runMs;
    const finishedAt = now;
    now = computeRestartAt(backoff, finishedAt, defaultCrashBackoff);
    backoff = advanceBackoff(backoff, { finishedAt, now }, defaultCrashBackoff);
    return (now - finishedAt) / 1000;
  });
}

describe("the crash backoff", () => {
  it("restarts at once, then after 10 s doubling to 5 min", () => {
    expect(simulate(8, 1_000)).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
  });

  it("does not forget a container that runs for 9 minutes", () => {
    expect(simulate(3, 540_000)).toEqual([0, 10, 20]);
  });

  it("starts over after 10 good minutes", () => {
    expect(simulate(3, 600_001)).toEqual([0, 0, 0]);
  });
});
