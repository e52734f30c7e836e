import { describe, expect, test } from "vitest";
import { decideMissed, decidePenalty } from "../../../src/protocol/slashing.ts";

describe("decidePenalty", () => {
  const cases = [
    {
      name: "a quorum of signed rejections",
      input: { outcome: "Rejected", rejections: 2, quorum: 2, contractQuorum: 2 },
      want: true,
    },
    {
      name: "fewer than the panel's quorum",
      input: { outcome: "Rejected", rejections: 2, quorum: 3, contractQuorum: 2 },
      want: false,
    },
    {
      name: "fewer than the contract asks for",
      input: { outcome: "Rejected", rejections: 1, quorum: 1, contractQuorum: 2 },
      want: false,
    },
    { name: "a lost machine", input: { outcome: "Expired", rejections: 3, quorum: 2, contractQuorum: 2 }, want: false },
    { name: "a failure", input: { outcome: "Failed", rejections: 3, quorum: 2, contractQuorum: 2 }, want: false },
  ] as const;
  for (const { name, input, want } of cases) {
    test(`${name} ${want ? "costs stake" : "costs no stake"}`, () => expect(decidePenalty(input).slash).toBe(want));
  }
});

describe("decideMissed", () => {
  const there = { claimedAtMs: 1_000, deadlineMs: 2_000, lastSeenMs: 2_001, isThere: true, isCordoned: false } as const;
  const node = { ready: "True", readySinceMs: 999, unschedulable: false } as const;
  const cases = [
    { name: "a worker that speaks after its deadline", input: { ...there, node }, want: true },
    { name: "one without a node of this cluster", input: { ...there, node: undefined }, want: true },
    { name: "one whose node tells nothing", input: { ...there, node: { unschedulable: false } }, want: true },
    { name: "one not seen since", input: { ...there, node, lastSeenMs: 2_000 }, want: false },
    { name: "one never seen", input: { ...there, node, lastSeenMs: undefined }, want: false },
    { name: "one that was deleted", input: { ...there, node, isThere: false }, want: false },
    { name: "one that is cordoned", input: { ...there, node, isCordoned: true }, want: false },
    { name: "one on a drained node", input: { ...there, node: { ...node, unschedulable: true } }, want: false },
    { name: "one on a node not ready", input: { ...there, node: { ...node, ready: "False" } }, want: false },
    { name: "one on a lost node", input: { ...there, node: { ...node, ready: "Unknown" } }, want: false },
    {
      name: "one whose node came back meanwhile",
      input: { ...there, node: { ...node, readySinceMs: 1_000 } },
      want: false,
    },
  ] as const;
  for (const { name, input, want } of cases) {
    test(`${name} ${want ? "loses the deduction" : "is excused"}`, () => expect(decideMissed(input).slash).toBe(want));
  }

  test("costs a hundredth and bans nobody", () => {
    expect(decideMissed({ ...there, node })).toEqual({
      slash: true,
      penalty: { fault: "DeadlineMissed", bps: 100, disqualifies: false },
    });
  });
});
