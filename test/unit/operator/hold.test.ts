import { describe, expect, test } from "vitest";
import type { InferenceTaskStatus } from "../../../src/api/v1alpha1/generated/inferencetasks.ts";
import { findCycle, findHold } from "../../../src/operator/controllers/hold.ts";
import type { TaskEntry } from "../../../src/operator/ledger.ts";

const now = "2026-01-01T00:00:00Z";

function aStatus(done?: "Ready" | "Stalled"): InferenceTaskStatus {
  const condition = { reason: "Because", message: "because", lastTransitionTime: now, status: "True" as const };
  return {
    observedGeneration: 1,
    phase: done === undefined ? "Pending" : done === "Ready" ? "Succeeded" : "Failed",
    ...(done ? { conditions: [{ ...condition, type: done }] } : {}),
  };
}

interface Shape {
  readonly on?: readonly string[];
  readonly done?: "Ready" | "Stalled";
  readonly suspend?: boolean;
}

function ledgerOf(shapes: Readonly<Record<string, Shape>>) {
  const entries = new Map(
    Object.entries(shapes).map(([name, { on, done, suspend }]) => {
      const key = `demo/${name}`;
      const task = {
        metadata: { namespace: "demo", name },
        spec: { suspend: suspend === true, ...(on ? { dependsOn: on } : {}) },
      };
      return [key, { key, uid: name, task, status: aStatus(done) } as unknown as TaskEntry];
    }),
  );
  return { get: (key: string) => entries.get(key), of: (name: string) => entries.get(`demo/${name}`)! };
}

const holdOf = (shapes: Readonly<Record<string, Shape>>, name = "a") => {
  const ledger = ledgerOf(shapes);
  return findHold(ledger, ledger.of(name));
};

describe("a task is held", () => {
  test("while a task that it depends on is not there, and not otherwise", () => {
    expect(holdOf({ a: { on: ["b"] } })).toEqual({
      reason: "DependencyMissing",
      message: "It depends on b, which is not in namespace demo; create it there.",
      isFinal: false,
    });
    expect(holdOf({ a: { on: ["b"] }, b: { done: "Ready" } })).toBeUndefined();
    expect(holdOf({ a: {} })).toBeUndefined();
  });

  test("while one is not done; of many a few are named", () => {
    const names = ["b", "c", "d", "e", "f"];
    const others = Object.fromEntries(names.map((name) => [name, {}]));
    expect(holdOf({ a: { on: names }, ...others })).toMatchObject({
      reason: "DependenciesPending",
      message: "It waits for b, c, d and 2 more to succeed.",
    });
  });

  test("for good where one failed, whatever else is amiss", () => {
    const hold = holdOf({ a: { on: ["gone", "b"], suspend: true }, b: { done: "Stalled" } });
    expect(hold).toMatchObject({ reason: "DependencyFailed", isFinal: true });
  });

  test("while it is suspended", () => {
    expect(holdOf({ a: { suspend: true } })).toMatchObject({ reason: "Suspended", isFinal: false });
  });
});

describe("the way round", () => {
  const cycleOf = (shapes: Readonly<Record<string, Shape>>) => {
    const ledger = ledgerOf(shapes);
    return findCycle(ledger, ledger.of("a"));
  };

  test("is found through others, and told in order", () => {
    expect(cycleOf({ a: { on: ["x", "b"] }, x: {}, b: { on: ["c"] }, c: { on: ["a"] } })).toEqual(["a", "b", "c", "a"]);
    expect(cycleOf({ a: { on: ["a"] } })).toEqual(["a", "a"]);
  });

  test("is none where a task waits for a circle that it is not in, or for one that is done", () => {
    expect(cycleOf({ a: { on: ["b"] }, b: { on: ["c"] }, c: { on: ["b"] } })).toBeUndefined();
    expect(cycleOf({ a: { on: ["b"] }, b: { on: ["a"], done: "Ready" } })).toBeUndefined();
    expect(cycleOf({ a: { on: ["b", "c"] }, b: { on: ["d"] }, c: { on: ["d"] }, d: {} })).toBeUndefined();
  });
});
