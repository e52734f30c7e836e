import { describe, expect, test } from "vitest";
import type { InferenceTaskStatus } from "../../../src/api/v1alpha1/generated/inferencetasks.ts";
import { observeSpec } from "../../../src/protocol/observe-spec.ts";

const now = "2026-01-01T00:00:00Z";
const condition = (type: string) =>
  ({ type, status: "True", observedGeneration: 1, lastTransitionTime: now, reason: "R", message: "m" }) as const;
const finished: InferenceTaskStatus = {
  observedGeneration: 1,
  phase: "Succeeded",
  conditions: [condition("Settled"), condition("Ready")],
};

describe("a change of spec that asks for nothing", () => {
  test("is said to have been seen, and changes nothing else", () => {
    const seen = observeSpec(finished, { generation: 2, now: "2026-01-02T00:00:00Z" });
    expect(seen).toEqual({
      ...finished,
      observedGeneration: 2,
      conditions: [condition("Settled"), { ...condition("Ready"), observedGeneration: 2 }],
    });
  });

  test("is said once", () => {
    expect(observeSpec({ ...finished, observedGeneration: 2 }, { generation: 2, now })).toBeUndefined();
  });

  test("is not said of a task that nobody has looked at yet", () => {
    expect(observeSpec({ observedGeneration: -1, phase: "Pending" }, { generation: 2, now })).toBeUndefined();
  });
});
