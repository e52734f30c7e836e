import { describe, expect, test } from "vitest";
import { decidePanelStep, type PanelVote } from "../../../../src/protocol/verdict/panel.ts";

const timing = { deadlineMs: 9_000, stragglerMs: 500 };
const aVote = (change: Partial<PanelVote> = {}): PanelVote => ({
  members: 3,
  quorum: 2,
  startedMs: 0,
  commitsMs: [],
  revealsMs: [],
  revealing: false,
  ...change,
});

describe("decidePanelStep", () => {
  const cases: { name: string; vote: Partial<PanelVote>; nowMs: number; want: object }[] = [
    { name: "waits for commitments", vote: {}, nowMs: 100, want: { step: "Commit", untilMs: 6_000 } },
    {
      name: "does not wait for less than a quorum alone",
      vote: { commitsMs: [100] },
      nowMs: 5_000,
      want: { step: "Commit", untilMs: 6_000 },
    },
    {
      name: "a quorum waits a moment for the rest",
      vote: { commitsMs: [300, 100] },
      nowMs: 700,
      want: { step: "Commit", untilMs: 800 },
    },
    { name: "and not longer", vote: { commitsMs: [300, 100] }, nowMs: 800, want: { step: "Reveal", untilMs: 9_000 } },
    {
      name: "all have committed: reveal at once",
      vote: { commitsMs: [1, 2, 3] },
      nowMs: 3,
      want: { step: "Reveal", untilMs: 9_000 },
    },
    { name: "nobody committed in time", vote: {}, nowMs: 6_000, want: { step: "Decide" } },
    {
      name: "one committed in time: it may reveal",
      vote: { commitsMs: [5_000] },
      nowMs: 6_000,
      want: { step: "Reveal", untilMs: 9_000 },
    },
    {
      name: "revealing goes on, whatever the commitments",
      vote: { revealing: true, commitsMs: [1, 2], revealsMs: [700] },
      nowMs: 750,
      want: { step: "Reveal", untilMs: 9_000 },
    },
    {
      name: "all who committed have revealed",
      vote: { revealing: true, commitsMs: [1, 2], revealsMs: [700, 710] },
      nowMs: 710,
      want: { step: "Decide" },
    },
    {
      name: "a quorum of reveals waits a moment for the rest",
      vote: { revealing: true, commitsMs: [1, 2, 3], revealsMs: [700, 710] },
      nowMs: 1_209,
      want: { step: "Reveal", untilMs: 1_210 },
    },
    {
      name: "the end is the end",
      vote: { revealing: true, commitsMs: [1, 2, 3], revealsMs: [700] },
      nowMs: 9_000,
      want: { step: "Decide" },
    },
  ];
  for (const { name, vote, nowMs, want } of cases) {
    test(name, () => expect(decidePanelStep(aVote(vote), timing, nowMs)).toEqual(want));
  }
});
