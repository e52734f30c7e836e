/**
 * The parameters that a vote can change: by contract, how they are read and set, in which unit, and within which bounds. The
 * contracts check the bounds themselves; test/integration/cli/governance-verbs.test.ts asks them for these.
 */
import type { ContractAddresses } from "./addresses.ts";
import type { Reader } from "./client.ts";
import { oneToken } from "./deploy-parameters.ts";
import type { ParameterUnit } from "./parameter-value.ts";

export type Bound = bigint | ((read: Reader) => Promise<bigint>);

export interface GovernedField {
  readonly name: string;
  readonly unit: ParameterUnit;
  readonly least?: Bound;
  readonly most?: Bound;
}

/** What one call sets. */
export interface GovernedGroup {
  readonly contract: keyof ContractAddresses;
  readonly getter: string;
  readonly setter: string;
  /** In the order of the setter's struct; a single one is the setter's only argument. */
  readonly fields: readonly GovernedField[];
  /** What must hold of all together. */
  readonly check?: (values: readonly bigint[]) => string | undefined;
}

const day = 86_400n;
const ifr = (name: string, least: bigint, mostIfr: bigint): GovernedField => ({
  ...{ name, unit: "IFR", least, most: mostIfr * oneToken },
});
const seconds = (name: string, least: Bound, most: Bound): GovernedField => ({ name, unit: "seconds", least, most });
const bps = (name: string, least: bigint, most: bigint): GovernedField => ({ name, unit: "bps", least, most });
const count = (name: string, least: bigint, most: bigint): GovernedField => ({ name, unit: "count", least, most });

const view =
  (contract: keyof ContractAddresses, call: string) =>
  async (read: Reader): Promise<bigint> =>
    BigInt((await read(contract, call, []))[0]);

/** What was spent must be provable before its requester can be gone with it: two windows are less than the wait. */
async function readLongestWindow(read: Reader): Promise<bigint> {
  const half = ((await view("escrow", "withdrawalDelay")(read)) - 1n) / 2n;
  return half < 30n * day ? half : 30n * day;
}

export const governedGroups: readonly GovernedGroup[] = [
  {
    ...{ contract: "registry", getter: "parameters", setter: "setParameters" },
    fields: [
      ifr("workerMinimum", 1n, 10_000_000n),
      ifr("validatorMinimum", 1n, 10_000_000n),
      seconds("workerDelay", 1n, 90n * day),
      seconds("validatorDelay", 1n, 90n * day),
      bps("reporterBps", 0n, 3_000n),
    ],
  },
  {
    ...{ contract: "settlement", getter: "challengeSeconds", setter: "setChallengeSeconds" },
    fields: [seconds("challengeSeconds", view("settlement", "minChallengeSeconds"), readLongestWindow)],
  },
  {
    ...{ contract: "slashing", getter: "parameters", setter: "setParameters" },
    fields: [
      count("rejectQuorum", 2n, 64n),
      bps("rejectedBps", 1n, 5_000n),
      bps("missedBps", 1n, 500n),
      seconds("evidenceSeconds", 0n, 60n * day),
    ],
  },
  {
    ...{ contract: "disputes", getter: "parameters", setter: "setParameters" },
    fields: [
      ifr("bond", 1n, 1_000_000n),
      count("jurySize", 2n, 32n),
      seconds("commitSeconds", 1n, 7n * day),
      seconds("revealSeconds", 1n, 7n * day),
      seconds("vetoSeconds", 0n, 14n * day),
      seconds("evidenceSeconds", 0n, 60n * day),
      bps("workerBps", 1n, 5_000n),
    ],
  },
  {
    ...{ contract: "agentRevenue", getter: "split", setter: "setSplit" },
    fields: [
      bps("creatorBps", 0n, 10_000n),
      bps("hostBps", 0n, 10_000n),
      bps("validatorsBps", 0n, 3_000n),
      bps("treasuryBps", 0n, 3_000n),
    ],
    check: (shares) => {
      const sum = shares.reduce((total, share) => total + share, 0n);
      return sum === 10_000n ? undefined : `The shares of agentRevenue sum to ${sum} bps; they must sum to 10000.`;
    },
  },
  {
    ...{ contract: "agentRevenue", getter: "treasury", setter: "setTreasury" },
    fields: [{ name: "treasury", unit: "address" }],
  },
  {
    ...{ contract: "governor", getter: "votingDelay", setter: "setVotingDelay" },
    fields: [seconds("votingDelay", 0n, 30n * day)],
  },
  {
    ...{ contract: "governor", getter: "votingPeriod", setter: "setVotingPeriod" },
    fields: [seconds("votingPeriod", view("governor", "minVotingPeriod"), 30n * day)],
  },
  {
    ...{ contract: "governor", getter: "proposalThreshold", setter: "setProposalThreshold" },
    fields: [ifr("proposalThreshold", 0n, 2_500_000n)],
  },
  {
    ...{ contract: "timelock", getter: "getMinDelay", setter: "updateDelay" },
    fields: [seconds("delay", view("timelock", "minDelay"), 30n * day)],
  },
];
