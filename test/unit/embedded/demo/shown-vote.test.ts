import { expect, test } from "vitest";
import { renderVote, type ShownVote } from "../../../../src/embedded/demo/shown-vote.ts";

const shown: ShownVote = {
  ...{ proposal: "17", change: "slashing.missedBps from 100 bps to 200 bps", proposer: "cpu-validator-1" },
  votes: { forWei: String(150n * 10n ** 18n), againstWei: "0", quorumWei: String(10n ** 17n) },
  ...{ outcome: "Executed", seconds: 7.5 },
};

test("a vote says what changed and with how many votes, and one that did not pass does not say that it was executed", () => {
  expect(renderVote(shown)).toBe(
    "A vote: the owner of cpu-validator-1 proposed to change slashing.missedBps from 100 bps to 200 bps. Owners voted with their bonds, 150 IFR for and 0 against; 0.1 were needed. Outcome: Executed, through the timelock, after 7.5 s.",
  );
  expect(renderVote({ ...shown, outcome: "Defeated" })).toMatch(/Outcome: Defeated, after 7\.5 s\.$/);
});
