/** What the governor says: proposals with their votes, and who has how many. For the command line; changes nothing. */
import type { Log } from "ethers";
import { type ContractAddresses, contractOf } from "./addresses.ts";
import { loadArtifact } from "./artifacts.ts";
import { type ChainClient, createReader } from "./client.ts";
import { readAllLogs } from "./logs.ts";
import { toChainError } from "./revert.ts";

export const proposalStates = [
  "Pending",
  "Active",
  "Canceled",
  "Defeated",
  "Succeeded",
  "Queued",
  "Expired",
  "Executed",
] as const;
export type ProposalState = (typeof proposalStates)[number];

export interface ProposalAction {
  readonly target: string;
  readonly valueWei: bigint;
  readonly data: string;
  /** As `settlement.setChallengeSeconds(7200)`; the data where no contract of ours has such a call. */
  readonly text: string;
}

/** What does not change after it was made. */
export interface Proposal {
  /** Decimal, as other tools print it. */
  readonly id: string;
  readonly proposer: string;
  readonly actions: readonly ProposalAction[];
  readonly description: string;
  /** Second whose votes count, and when voting begins. */
  readonly snapshot: number;
  /** Last second of voting. */
  readonly deadline: number;
  readonly blockNumber: number;
}

export interface ProposalStanding {
  readonly state: ProposalState;
  readonly forWei: bigint;
  readonly againstWei: bigint;
  readonly abstainWei: bigint;
  /** Of for and abstain together; undefined before voting begins. */
  readonly quorumWei: bigint | undefined;
  /** Second from which a queued one can be executed; 0 before it is queued. */
  readonly executableAt: number;
}

export interface VotingWeight {
  readonly tokensWei: bigint;
  readonly stakesWei: bigint;
}

/** All throw InferiumError RpcFailed (retry). */
export interface GovernanceReader {
  /** In the order of their making. */
  list(fromBlock: number): Promise<Proposal[]>;
  standing(proposal: Pick<Proposal, "id" | "snapshot">): Promise<ProposalStanding>;
  hasVoted(id: string, account: string): Promise<boolean>;
  /** Votes of an account at a second that is over: delegated tokens, and bonded ones. */
  weight(account: string, second: number): Promise<VotingWeight>;
  supply(second: number): Promise<bigint>;
  quorum(second: number): Promise<bigint>;
  threshold(): Promise<bigint>;
  /** Second of the newest block. */
  now(): Promise<number>;
}

export function createGovernanceReader(client: ChainClient): GovernanceReader {
  const read = createReader(client.provider, client.addresses);
  const one = async (contract: keyof ContractAddresses, call: string, values: readonly unknown[]) =>
    (await read(contract, call, values))[0];
  return {
    list: async (fromBlock) => {
      const topics = loadArtifact("InferiumGovernor").abi.encodeFilterTopics("ProposalCreated", []);
      const logs = await readAllLogs(client, { address: client.addresses.governor, topics }, fromBlock);
      return logs.flatMap((log) => parseCreated(log, client.addresses));
    },
    standing: async ({ id, snapshot }) => {
      const [second, state, votes, eta] = await Promise.all([
        readNow(client),
        one("governor", "state", [id]),
        read("governor", "proposalVotes", [id]),
        one("governor", "proposalEta", [id]),
      ]);
      const name = proposalStates[Number(state)] ?? "Pending";
      const { forVotes, againstVotes, abstainVotes } = votes;
      return {
        ...{ state: name, forWei: forVotes, againstWei: againstVotes, abstainWei: abstainVotes },
        quorumWei: second <= snapshot ? undefined : await one("governor", "quorum", [snapshot]),
        executableAt: Number(eta),
      };
    },
    hasVoted: (id, account) => one("governor", "hasVoted", [id, account]),
    weight: async (account, second) => {
      const votes = (contract: "token" | "registry") => one(contract, "getPastVotes", [account, second]);
      const [tokensWei, stakesWei] = await Promise.all([votes("token"), votes("registry")]);
      return { tokensWei, stakesWei };
    },
    supply: (second) => one("token", "getPastTotalSupply", [second]),
    quorum: (second) => one("governor", "quorum", [second]),
    threshold: () => one("governor", "proposalThreshold", []),
    now: () => readNow(client),
  };
}

async function readNow({ provider }: ChainClient): Promise<number> {
  try {
    return (await provider.getBlock("latest"))?.timestamp ?? 0;
  } catch (error) {
    throw toChainError("Reading the newest block", error);
  }
}

function parseCreated(log: Log, addresses: ContractAddresses): Proposal[] {
  const args = loadArtifact("InferiumGovernor").abi.parseLog(log)?.args;
  if (args === undefined) return [];
  // "values" is a method of the result, too.
  const [id, proposer, targets, values, , calldatas, snapshot, deadline, description] = args;
  const actions = [...(targets as string[])].map((target, index) => {
    const data = String(calldatas[index]);
    return { target, valueWei: BigInt(values[index]), data, text: describeCall(addresses, target, data) };
  });
  return [
    {
      ...{ id: String(id), proposer, actions, description, blockNumber: log.blockNumber },
      ...{ snapshot: Number(snapshot), deadline: Number(deadline) },
    },
  ];
}

function describeCall(addresses: ContractAddresses, target: string, data: string): string {
  const names = Object.keys(contractOf) as (keyof ContractAddresses)[];
  const contract = names.find((name) => addresses[name] === target);
  const parsed = contract && loadArtifact(contractOf[contract]).abi.parseTransaction({ data });
  if (!parsed) return `${contract ?? target} ${data}`;
  return `${contract}.${parsed.name}(${parsed.args.map(formatArgument).join(", ")})`;
}

function formatArgument(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(formatArgument).join(", ")}]` : String(value);
}
