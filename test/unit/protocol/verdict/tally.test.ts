import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Vote } from "../../../../src/protocol/merkle.ts";
import { decideEscalation, tallyVotes } from "../../../../src/protocol/verdict/tally.ts";

const letters: Record<string, Vote | undefined> = { A: "Accept", R: "Reject", "-": "Abstain", ".": undefined };
const read = (text: string) => [...text].map((letter) => letters[letter]);

describe("tallyVotes", () => {
  const cases = [
    { votes: "AAA", quorum: 2, want: "Accepted" },
    { votes: "AAR", quorum: 2, want: "Accepted" },
    { votes: "ARR", quorum: 2, want: "Rejected" },
    { votes: "AR-", quorum: 2, want: "Inconclusive" },
    { votes: "A--", quorum: 2, want: "Inconclusive" },
    { votes: "AA-", quorum: 2, want: "Accepted" },
    { votes: "AA.", quorum: 2, want: "Accepted" },
    { votes: "---", quorum: 2, want: "Inconclusive" },
    { votes: "...", quorum: 1, want: "Inconclusive" },
    { votes: "AARR", quorum: 2, want: "Inconclusive" },
    { votes: "AAARR", quorum: 3, want: "Accepted" },
  ];
  for (const { votes, quorum, want } of cases) {
    test(`${votes} with quorum ${quorum} is ${want}`, () => expect(tallyVotes(read(votes), quorum).verdict).toBe(want));
  }

  const vote = fc.constantFrom<Vote | undefined>("Accept", "Reject", "Abstain", undefined);
  test("law: abstaining or missing never tips the scale", () => {
    fc.assert(
      fc.property(
        fc.array(vote, { maxLength: 15 }),
        fc.integer({ min: 1, max: 8 }),
        fc.nat(5),
        (votes, quorum, silent) => {
          const more = [...votes, ...Array.from({ length: silent }, () => "Abstain" as const)];
          expect(tallyVotes(more, quorum).verdict).toBe(tallyVotes(votes, quorum).verdict);
        },
      ),
    );
  });

  test("law: every vote is counted once, and turning all votes round turns the verdict round", () => {
    const turned: Record<string, Vote> = { Accept: "Reject", Reject: "Accept", Abstain: "Abstain" };
    const opposite = { Accepted: "Rejected", Rejected: "Accepted", Inconclusive: "Inconclusive" };
    fc.assert(
      fc.property(fc.array(vote, { maxLength: 15 }), fc.integer({ min: 1, max: 8 }), (votes, quorum) => {
        const tally = tallyVotes(votes, quorum);
        expect(tally.accept + tally.reject + tally.abstain).toBe(votes.length);
        const other = tallyVotes(
          votes.map((one) => one && turned[one]),
          quorum,
        );
        expect(other.verdict).toBe(opposite[tally.verdict]);
      }),
    );
  });
});

describe("decideEscalation", () => {
  const cases = [
    {
      name: "about twice as many, with a majority to decide",
      panel: { round: 1, validators: 3, eligible: 20 },
      want: { validators: 7, quorum: 4 },
    },
    {
      name: "as many as there are",
      panel: { round: 1, validators: 3, eligible: 4 },
      want: { validators: 4, quorum: 3 },
    },
    {
      name: "none where no larger panel can be drawn",
      panel: { round: 1, validators: 3, eligible: 3 },
      want: undefined,
    },
    { name: "none after the second round", panel: { round: 2, validators: 3, eligible: 20 }, want: undefined },
    {
      name: "never more than a Validation can hold",
      panel: { round: 1, validators: 20, eligible: 100 },
      want: { validators: 31, quorum: 16 },
    },
  ];
  for (const { name, panel, want } of cases) test(name, () => expect(decideEscalation(panel)).toEqual(want));
});
