/** `inferium governance list | status | vote | queue | execute | cancel`: proposals from the vote to the change. */
import { InferiumError } from "../../base/errors.ts";
import {
  createGovernanceReader,
  type GovernanceReader,
  type Proposal,
  type ProposalStanding,
  type ProposalState,
} from "../../chain/governance-reader.ts";
import { governorArguments } from "../../chain/governor-arguments.ts";
import { formatIfr } from "../../protocol/amount.ts";
import { formatTable } from "../table.ts";
import { type ChainSession, printSteps, runSteps } from "./chain-session.ts";

export interface VoteOptions {
  readonly choice: "for" | "against" | "abstain";
  readonly reason?: string;
}

/** As GovernorCountingSimple counts them. */
const supportOf = { against: 0, for: 1, abstain: 2 } as const;

/** @throws InferiumError ProposalUnknown, WrongState, AlreadyVoted, TooFewVotes */
export async function runVote(id: string, options: VoteOptions, session: ChainSession): Promise<number> {
  const reader = createGovernanceReader(session.client);
  const proposal = await find(reader, id, session);
  await requireState(reader, proposal, ["Active"]);
  const voter = await (await session.signer()).getAddress();
  if (await reader.hasVoted(proposal.id, voter))
    throw new InferiumError("AlreadyVoted", `${voter} has voted on ${proposal.id}; a vote stands.`);
  const { tokensWei, stakesWei } = await reader.weight(voter, proposal.snapshot);
  const weight = tokensWei + stakesWei;
  if (weight === 0n) {
    const message = `${voter} had no votes at ${toTime(proposal.snapshot)}, when those of this proposal were counted: only tokens that were delegated, and bonds that were there, count.`;
    throw new InferiumError("TooFewVotes", message);
  }
  const support = supportOf[options.choice];
  const step =
    options.reason === undefined
      ? { call: "castVote", values: [proposal.id, support] }
      : { call: "castVoteWithReason", values: [proposal.id, support, options.reason] };
  const results = await runSteps(session, [{ contract: "governor", ...step }]);
  const summary = `${formatIfr(weight)} votes ${options.choice === "abstain" ? "abstain on" : options.choice} proposal ${proposal.id}.`;
  return printSteps(session, results, summary, { proposal: proposal.id, votesWei: weight.toString() });
}

export type MoveVerb = "queue" | "execute" | "cancel";

const stateFor: Readonly<Record<MoveVerb, ProposalState>> = {
  queue: "Succeeded",
  execute: "Queued",
  cancel: "Pending",
};
const done: Readonly<Record<MoveVerb, string>> = {
  queue: "The wait of the timelock begins",
  execute: "The change is made",
  cancel: "The proposal is taken back",
};

/** @throws InferiumError ProposalUnknown, WrongState, TooEarly */
export async function runMove(verb: MoveVerb, id: string, session: ChainSession): Promise<number> {
  const reader = createGovernanceReader(session.client);
  const proposal = await find(reader, id, session);
  const { executableAt } = await requireState(reader, proposal, [stateFor[verb]]);
  if (verb === "execute" && (await reader.now()) < executableAt) {
    const message = `Proposal ${proposal.id} waits in the timelock; it can be executed from ${toTime(executableAt)} on.`;
    throw new InferiumError("TooEarly", message);
  }
  const values = governorArguments(proposal);
  const results = await runSteps(session, [{ contract: "governor", call: verb, values }]);
  return printSteps(session, results, `${done[verb]}: ${proposal.id}.`, { proposal: proposal.id });
}

export async function runList(session: ChainSession): Promise<number> {
  const { io, options } = session;
  const reader = createGovernanceReader(session.client);
  const rows = [];
  for (const proposal of await reader.list(options.fromBlock ?? 0)) {
    rows.push({ proposal, standing: await reader.standing(proposal) });
  }
  if (options.output === "json") {
    io.out(JSON.stringify(rows.map(({ proposal, standing }) => describe(proposal, standing))));
    return 0;
  }
  if (rows.length === 0) {
    io.out("There are no proposals.");
    return 0;
  }
  const cells = rows.map(({ proposal, standing }) => [
    ...[proposal.id.slice(0, 12), standing.state, formatIfr(standing.forWei), formatIfr(standing.againstWei)],
    ...[
      formatIfr(standing.abstainWei),
      toTime(proposal.deadline),
      proposal.description.split("\n")[0]?.slice(0, 60) ?? "",
    ],
  ]);
  const header = ["PROPOSAL", "STATE", "FOR", "AGAINST", "ABSTAIN", "VOTING UNTIL", "DESCRIPTION"];
  for (const line of formatTable(header, cells)) io.out(line);
  return 0;
}

export async function runStatus(id: string, session: ChainSession): Promise<number> {
  const { io, options } = session;
  const reader = createGovernanceReader(session.client);
  const proposal = await find(reader, id, session);
  const standing = await reader.standing(proposal);
  if (options.output === "json") {
    io.out(JSON.stringify(describe(proposal, standing)));
    return 0;
  }
  const { forWei, againstWei, abstainWei, quorumWei } = standing;
  io.out(`Proposal ${proposal.id} ${explain(proposal, standing)}`);
  io.out(`description ${proposal.description}`);
  for (const { text } of proposal.actions) io.out(`does        ${text}`);
  io.out(`proposer    ${proposal.proposer}`);
  const quorum = quorumWei === undefined ? "" : `; quorum ${formatIfr(quorumWei)}, for and abstain together`;
  io.out(
    `votes       ${formatIfr(forWei)} for, ${formatIfr(againstWei)} against, ${formatIfr(abstainWei)} abstain${quorum}`,
  );
  return 0;
}

async function find(reader: GovernanceReader, id: string, { options }: ChainSession): Promise<Proposal> {
  const found = (await reader.list(options.fromBlock ?? 0)).filter((proposal) => proposal.id.startsWith(id));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const message =
    only === undefined
      ? `There is no proposal ${id} from block ${options.fromBlock ?? 0} on; see inferium governance list.`
      : `${found.length} proposals begin with ${id}: give more digits.`;
  throw new InferiumError("ProposalUnknown", message);
}

async function requireState(
  reader: GovernanceReader,
  proposal: Proposal,
  wanted: readonly ProposalState[],
): Promise<ProposalStanding> {
  const standing = await reader.standing(proposal);
  if (wanted.includes(standing.state)) return standing;
  const message = `Proposal ${proposal.id} ${explain(proposal, standing)}; this is for one that is ${wanted.join(" or ")}.`;
  throw new InferiumError("WrongState", message);
}

function describe(proposal: Proposal, standing: ProposalStanding) {
  const { id, proposer, description, snapshot, deadline, blockNumber } = proposal;
  const actions = proposal.actions.map(({ target, valueWei, data, text }) => ({
    ...{ target, valueWei: valueWei.toString(), data, text },
  }));
  return {
    ...{ proposal: id, state: standing.state, proposer, description, actions, snapshot, deadline, block: blockNumber },
    forWei: standing.forWei.toString(),
    againstWei: standing.againstWei.toString(),
    abstainWei: standing.abstainWei.toString(),
    quorumWei: standing.quorumWei?.toString(),
    executableAt: standing.executableAt === 0 ? undefined : standing.executableAt,
  };
}

function explain({ snapshot, deadline }: Proposal, { state, executableAt }: ProposalStanding): string {
  if (state === "Pending") return `is Pending: voting begins after ${toTime(snapshot)}`;
  if (state === "Active") return `is Active: voting goes on until ${toTime(deadline)}`;
  if (state === "Succeeded") return "is Succeeded: it can be queued";
  if (state === "Queued") return `is Queued: it can be executed from ${toTime(executableAt)} on`;
  return `is ${state}`;
}

function toTime(second: number): string {
  return new Date(second * 1_000).toISOString();
}
