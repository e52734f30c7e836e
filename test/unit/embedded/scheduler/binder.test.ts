import { describe, expect, it } from "vitest";
import { mergeUnschedulable } from "../../../../src/embedded/scheduler/binder.ts";

const now = Date.parse("2026-01-01T00:00:05Z");
const before = {
  type: "PodScheduled",
  status: "False",
  reason: "Unschedulable",
  message: "old",
  lastTransitionTime: "2026-01-01T00:00:00Z",
};

describe("mergeUnschedulable", () => {
  it("writes nothing when the pod already says so", () => {
    expect(mergeUnschedulable([before], "old", now)).toBeUndefined();
  });

  it("keeps the time of transition when only the message changes, and the conditions of others", () => {
    const other = { type: "Custom", status: "True" };
    expect(mergeUnschedulable([before, other], "new", now)).toEqual([other, { ...before, message: "new" }]);
  });

  it("sets the time for a pod that had no such condition", () => {
    expect(mergeUnschedulable([], "new", now)).toMatchObject([{ lastTransitionTime: "2026-01-01T00:00:05Z" }]);
  });
});
