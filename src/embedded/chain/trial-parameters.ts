/** Delays of days on a chain that holds real money; a trial is over before. */
import { parseIfr } from "../../protocol/amount.ts";

export const trialParameters = {
  challengeSeconds: 1,
  withdrawalSeconds: 10,
  jurySize: 2,
  // A busy machine has its time; a complete jury needs none of it.
  juryCommitSeconds: 20,
  juryRevealSeconds: 20,
  vetoSeconds: 1,
  votingDelaySeconds: 1,
  // Long enough for every vote to be mined on a busy machine.
  votingPeriodSeconds: 5,
  timelockSeconds: 1,
  proposalThresholdWei: parseIfr("10000"),
  allowDevelopmentSetup: true,
} as const;
