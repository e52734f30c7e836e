/** `inferium governance propose` and `delegate`. What the governor would refuse is said before anything is paid. */
import { getAddress, id as hashText } from "ethers";
import { InferiumError } from "../../base/errors.ts";
import { type ContractAddresses, contractOf } from "../../chain/addresses.ts";
import { createReader } from "../../chain/client.ts";
import { createGovernanceReader } from "../../chain/governance-reader.ts";
import { encodePlanned, type PlannedCall, planChanges } from "../../chain/governed-parameters.ts";
import { formatIfr } from "../../protocol/amount.ts";
import { type ChainSession, printSteps, runSteps } from "./chain-session.ts";

export interface ProposeOptions {
  /** Each as `registry.workerMinimum=12000`. */
  readonly set: readonly string[];
  /** Each as `validatorSets.rotate(["0x..."])`. */
  readonly call: readonly string[];
  readonly description: string;
}

/** @throws InferiumError InvalidOption, UnknownParameter, InvalidParameters, NotGoverned, TooFewVotes, AlreadyProposed */
export async function runPropose(options: ProposeOptions, session: ChainSession): Promise<number> {
  const { client } = session;
  const { addresses } = client;
  const read = createReader(client.provider, addresses);
  const calls = [
    ...(await planChanges(read, addresses, parseChanges(options.set))),
    ...options.call.map((text) => parseCall(text, addresses)),
  ];
  if (calls.length === 0) throw new InferiumError("InvalidOption", "Give what is to change: --set or --call.");
  const encoded = calls.map(encodePlanned);
  const targets = calls.map(({ contract }) => addresses[contract]);
  const none = calls.map(() => 0n);
  const [id] = await read("governor", "hashProposal", [targets, none, encoded, hashText(options.description)]);
  if (BigInt((await read("governor", "proposalSnapshot", [id]))[0]) !== 0n) {
    const message = `The same change with the same description is proposal ${id}; describe it otherwise to propose it again.`;
    throw new InferiumError("AlreadyProposed", message);
  }
  await requireThreshold(session);
  const results = await runSteps(session, [
    { contract: "governor", call: "propose", values: [targets, none, encoded, options.description] },
  ]);
  const texts = calls.map(({ contract, call, values }) => `${contract}.${call}(${values.map(toText).join(", ")})`);
  return printSteps(session, results, `Proposal ${id}: ${texts.join("; ")}.`, { proposal: String(id), actions: texts });
}

async function requireThreshold(session: ChainSession): Promise<void> {
  const reader = createGovernanceReader(session.client);
  const proposer = await (await session.signer()).getAddress();
  const [second, threshold] = await Promise.all([reader.now(), reader.threshold()]);
  const { tokensWei, stakesWei } = await reader.weight(proposer, second - 1);
  if (tokensWei + stakesWei >= threshold) return;
  const message = `${proposer} has ${formatIfr(tokensWei + stakesWei)} votes; a proposal takes ${formatIfr(threshold)}. Tokens vote once delegated: inferium governance delegate.`;
  throw new InferiumError("TooFewVotes", message);
}

function parseChanges(texts: readonly string[]): Map<string, string> {
  const changes = new Map<string, string>();
  for (const text of texts) {
    const [, name, value] = /^([^=\s]+)\s*=\s*(.+)$/.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      const message = `--set is "${text.slice(0, 80)}"; expected a parameter and its value, as registry.workerMinimum=12000.`;
      throw new InferiumError("InvalidOption", message);
    }
    if (changes.has(name)) throw new InferiumError("InvalidOption", `--set names ${name} twice.`);
    changes.set(name, value.trim());
  }
  return changes;
}

function parseCall(text: string, addresses: ContractAddresses): PlannedCall {
  const [, contract, call, inner] = /^(\w+)\.(\w+)\((.*)\)$/s.exec(text) ?? [];
  if (contract === undefined || call === undefined || inner === undefined || !Object.hasOwn(addresses, contract)) {
    const names = Object.keys(contractOf).join(", ");
    const message = `--call is "${text.slice(0, 80)}"; expected CONTRACT.FUNCTION(ARGUMENTS as JSON) with one of ${names}.`;
    throw new InferiumError("InvalidOption", message);
  }
  try {
    const planned = { contract: contract as keyof ContractAddresses, call, values: JSON.parse(`[${inner}]`) };
    encodePlanned(planned);
    return planned;
  } catch (cause) {
    const message = `${contractOf[contract as keyof ContractAddresses]} cannot be called so: ${text.slice(0, 120)}. Large numbers go in quotes.`;
    throw new InferiumError("InvalidOption", message, { cause });
  }
}

function toText(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(toText).join(", ")}]` : String(value);
}

export async function runDelegate(options: { readonly to?: string }, session: ChainSession): Promise<number> {
  const self = await (await session.signer()).getAddress();
  const to = getAddress(options.to ?? self);
  const results = await runSteps(session, [{ contract: "token", call: "delegate", values: [to] }]);
  const held = await session.client.balanceOf(self);
  return printSteps(session, results, `The ${formatIfr(held)} IFR of ${self} vote for ${to} from now on.`);
}
