import { describe, expect, test } from "vitest";
import { type DisputePosition, type DisputeView, decideDisputeStep } from "../../../src/protocol/dispute.ts";

const aDispute = (overrides: Partial<DisputeView> = {}): DisputeView => ({
  challenger: "0x1",
  worker: "0x2",
  state: "Committing",
  ruling: "None",
  deadline: 100,
  seedBlock: 10,
  bondWei: 1n,
  overturn: 0,
  uphold: 0,
  ...overrides,
});

interface Case {
  readonly title: string;
  readonly dispute: Partial<DisputeView>;
  readonly vote?: DisputePosition["vote"];
  readonly at?: number;
  readonly block?: number;
  readonly want: string;
}

const cases: readonly Case[] = [
  { title: "nothing of that id", dispute: { state: "None" }, want: "Forget" },
  { title: "over", dispute: { state: "Closed" }, vote: "Committed", want: "Forget" },
  { title: "the seed's block is the newest", dispute: { state: "Drawing" }, block: 10, want: "Wait" },
  { title: "a block lies on the seed's", dispute: { state: "Drawing" }, block: 11, want: "Draw" },
  { title: "a juror without a verdict", dispute: {}, vote: "Open", want: "Judge" },
  { title: "a juror in the last second", dispute: {}, vote: "Open", at: 100, want: "Judge" },
  { title: "a verdict is written down", dispute: {}, vote: "Judged", want: "Commit" },
  { title: "committed, others may still", dispute: {}, vote: "Committed", want: "Wait" },
  { title: "no juror, while the jury commits", dispute: {}, want: "Wait" },
  { title: "the time to commit is over", dispute: {}, vote: "Committed", at: 101, want: "Reveal" },
  {
    title: "a verdict that was not committed in time is never revealed",
    dispute: {},
    vote: "Judged",
    at: 101,
    want: "Wait",
  },
  { title: "no verdict in time", dispute: {}, vote: "Open", at: 101, want: "Wait" },
  { title: "somebody has revealed", dispute: { state: "Revealing" }, vote: "Committed", want: "Reveal" },
  { title: "revealed, others may still", dispute: { state: "Revealing", overturn: 1 }, vote: "Revealed", want: "Wait" },
  {
    title: "all have revealed",
    dispute: { state: "Revealing", overturn: 1, uphold: 1 },
    vote: "Revealed",
    want: "Rule",
  },
  { title: "the time to reveal is over", dispute: { state: "Revealing" }, vote: "Committed", at: 101, want: "Rule" },
  { title: "nobody revealed, and there is time", dispute: {}, vote: "Committed", at: 150, want: "Reveal" },
  { title: "nobody revealed, and the time is over", dispute: {}, vote: "Committed", at: 151, want: "Rule" },
  { title: "ruled, a veto may come", dispute: { state: "Ruled" }, at: 100, want: "Wait" },
  { title: "ruled, no veto came", dispute: { state: "Ruled" }, at: 101, want: "Execute" },
];

describe("the next step of a dispute", () => {
  test.each(cases)("$title: $want", ({ dispute, vote, at = 50, block = 5, want }) => {
    const now = { block, timestamp: at };
    const position = { dispute: aDispute(dispute), jurors: 2, revealSeconds: 50, vote, now };
    expect(decideDisputeStep(position)).toBe(want);
  });
});
