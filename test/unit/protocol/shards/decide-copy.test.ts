import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CopyFacts, type CopyState, findCopyHold } from "../../../../src/protocol/shards/decide-copy.ts";

const outcome = (facts: CopyFacts) => findCopyHold(facts)?.reason ?? "Go";
const first = { isDuplicate: false, batch: "Open" } as const;
const second = { isDuplicate: true, batch: "Open" } as const;

describe("a copy of a shard that waits", () => {
  const cases: { name: string; facts: CopyFacts; want: string }[] = [
    { name: "alone goes", facts: first, want: "Go" },
    { name: "goes while the first runs", facts: { ...second, other: "Running" }, want: "Go" },
    { name: "goes while the first is judged", facts: { ...second, other: "Judged" }, want: "Go" },
    { name: "stays out while its duplicate runs", facts: { ...first, other: "Running" }, want: "CopyAtWork" },
    { name: "stays out until its duplicate is ended", facts: { ...first, other: "Waiting" }, want: "CopyAtWork" },
    { name: "goes again once its duplicate is lost", facts: { ...first, other: "Lost" }, want: "Go" },
    { name: "is over once the other one won", facts: { ...first, other: "Won" }, want: "Superseded" },
    { name: "is over where the first waits again", facts: { ...second, other: "Waiting" }, want: "Superseded" },
    { name: "is over with its batch", facts: { ...first, batch: "Failed" }, want: "BatchEnded" },
    { name: "waits with its batch", facts: { ...first, batch: "Suspended" }, want: "BatchSuspended" },
  ];
  for (const { name, facts, want } of cases) test(name, () => expect(outcome(facts)).toBe(want));

  test("of two that wait one goes in the end, and never both", () => {
    const states = fc.constantFrom<CopyState>("Waiting", "Running", "Judged", "Won", "Lost");
    fc.assert(
      fc.property(states, states, (one, other) => {
        const goes = [
          one === "Waiting" && outcome({ ...first, other }) === "Go",
          other === "Waiting" && outcome({ ...second, other: one }) === "Go",
        ];
        expect(goes).not.toEqual([true, true]);
        const isStuck = one === "Waiting" && other === "Waiting" && outcome({ ...second, other: one }) !== "Superseded";
        expect(isStuck).toBe(false);
      }),
    );
  });
});
