/**
 * Governance, as a part of the demonstration: an owner of a validator proposes to change a parameter, the owners of honest members vote with
 * their bonds, and the timelock executes what was decided. Beside the staged dispute, whose members' owners take no part.
 */
import type { Signer } from "ethers";
import { systemClock } from "../../base/clock.ts";
import { InferiumError } from "../../base/errors.ts";
import { contractOf } from "../../chain/addresses.ts";
import { createReader } from "../../chain/client.ts";
import { createGovernanceReader, type Proposal, type ProposalState } from "../../chain/governance-reader.ts";
import { encodePlanned, type PlannedCall, planChanges, readParameters } from "../../chain/governed-parameters.ts";
import { governorArguments } from "../../chain/governor-arguments.ts";
import { formatValue } from "../../chain/parameter-value.ts";
import { sendBatch } from "../../chain/send-batch.ts";
import type { ShownVote } from "../demo/shown-vote.ts";
import type { Member } from "./members.ts";
import type { System } from "./start-system.ts";

export interface VoteShowOptions {
  readonly system: System;
  readonly signal: AbortSignal;
  /** Seconds since the command started. */
  readonly seconds: () => number;
  readonly say: (text: string) => void;
}

/** What changes nothing that this run still does. */
const parameter = "slashing.missedBps";
const newValue = "200";
const stepTimeoutMs = 60_000;
const lookEveryMs = 200;
const transactionTimeoutMs = 30_000;
const gasLimit = 1_000_000n;
const adminRole = `0x${"0".repeat(64)}`;

/**
 * Lets the timelock govern, and proposes.
 * @returns what leads the proposal to its end; empty where that did not come in time: the rest of the run does not depend on it
 */
export async function openVote(options: VoteShowOptions): Promise<() => Promise<ShownVote[]>> {
  const { system, seconds } = options;
  const { addresses, writer, client } = system.chain;
  const startedAt = seconds();
  const read = createReader(client.provider, addresses);
  await sendCall(system, writer.signer, {
    ...{ contract: "slashing", call: "grantRole", values: [adminRole, addresses.timelock] },
  });
  const before = (await readParameters(read, addresses)).find(({ name }) => name === parameter);
  const calls = await planChanges(read, addresses, new Map([[parameter, newValue]]));
  const [proposer, ...others] = listVoters(system);
  if (proposer === undefined || before === undefined) return async () => [];
  const change = `${parameter} from ${formatValue(before.unit, before.value)} to ${formatValue(before.unit, BigInt(newValue))}`;
  const targets = calls.map(({ contract }) => addresses[contract]);
  const values = [targets, calls.map(() => 0n), calls.map(encodePlanned), `Change ${change}`];
  const owner = proposer.ownerKey.connect(client.provider);
  await sendCall(system, owner, { contract: "governor", call: "propose", values });
  return async () => {
    const reader = createGovernanceReader(client);
    const proposal = (await reader.list(0)).at(-1);
    if (proposal === undefined) return [];
    try {
      await decide(options, proposal, [proposer, ...others]);
    } catch (error) {
      if (!(error instanceof InferiumError) || options.signal.aborted) throw error;
      options.say(`vote       ${error.message}`);
    }
    const { state, forWei, againstWei, quorumWei = 0n } = await reader.standing(proposal);
    const votes = { forWei: String(forWei), againstWei: String(againstWei), quorumWei: String(quorumWei) };
    const took = Number((seconds() - startedAt).toFixed(1));
    return [{ proposal: proposal.id, change, proposer: proposer.name, votes, outcome: state, seconds: took }];
  };
}

/** Validators first. Who is not honest is busy in the dispute. */
function listVoters({ members }: System): Member[] {
  const honest = members.filter((member) => member.honest);
  return [...honest.filter(({ role }) => role === "Validator"), ...honest.filter(({ role }) => role === "Worker")];
}

/** The last voter, a worker's owner, is against a higher penalty. */
async function decide(options: VoteShowOptions, proposal: Proposal, voters: readonly Member[]): Promise<void> {
  const { system } = options;
  const { client } = system.chain;
  await waitForState(options, proposal, "Active");
  await Promise.all(
    voters.map(({ ownerKey }, index) => {
      const support = index === voters.length - 1 ? 0 : 1;
      const voter = ownerKey.connect(client.provider);
      return sendCall(system, voter, { contract: "governor", call: "castVote", values: [proposal.id, support] });
    }),
  );
  const values = governorArguments(proposal);
  await waitForState(options, proposal, "Succeeded");
  // Anybody may do the rest; the deployer's account is busy elsewhere.
  const anybody = voters[0]?.ownerKey.connect(client.provider);
  if (anybody === undefined) return;
  await sendCall(system, anybody, { contract: "governor", call: "queue", values });
  const reader = createGovernanceReader(client);
  const { executableAt } = await reader.standing(proposal);
  await waitUntil(options, "the timelock's delay to pass", async () => (await reader.now()) >= executableAt);
  await sendCall(system, anybody, { contract: "governor", call: "execute", values });
}

const ends: readonly ProposalState[] = ["Canceled", "Defeated", "Expired"];

async function waitForState(options: VoteShowOptions, proposal: Proposal, wanted: ProposalState): Promise<void> {
  const reader = createGovernanceReader(options.system.chain.client);
  await waitUntil(options, `the proposal to be ${wanted}`, async () => {
    const { state } = await reader.standing(proposal);
    if (ends.includes(state)) throw new InferiumError("ProposalEnded", `The proposal is ${state}.`);
    return state === wanted;
  });
}

/** @throws InferiumError WaitTimeout, or the signal's reason */
async function waitUntil({ signal }: VoteShowOptions, what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const endsAt = systemClock.monotonic() + stepTimeoutMs;
  while (!(await isTrue())) {
    if (systemClock.monotonic() > endsAt)
      throw new InferiumError("WaitTimeout", `Waited ${stepTimeoutMs / 1_000} s in vain for ${what}.`);
    await systemClock.sleep(lookEveryMs, signal);
  }
}

async function sendCall({ chain }: System, signer: Signer, planned: PlannedCall): Promise<void> {
  const { contract, call } = planned;
  const transaction = {
    action: `${contractOf[contract]}.${call}`,
    to: chain.addresses[contract],
    data: encodePlanned(planned),
    gasLimit,
  };
  await sendBatch(signer, [transaction], { timeoutMs: transactionTimeoutMs });
}
