/** What the registry and the distributor know of nodes: of one, or of a pool's many in few requests. */
import type { JsonRpcProvider } from "ethers";
import { type ContractAddresses, contractOf } from "./addresses.ts";
import { loadArtifact } from "./artifacts.ts";
import type { Reader } from "./client.ts";
import { readMany } from "./read-many.ts";
import { toChainError } from "./revert.ts";
import { readWords, toAddress } from "./static-words.ts";

export const nodeRoles = ["None", "Worker", "Validator"] as const;
export type NodeRole = (typeof nodeRoles)[number];
export const nodeStates = ["None", "Active", "Underbonded", "Unbonding", "Disqualified"] as const;
export type NodeState = (typeof nodeStates)[number];

export interface NodeRecord {
  readonly role: NodeRole;
  readonly state: NodeState;
  /** All that can be slashed: active and unbonding. */
  readonly stakeWei: bigint;
  readonly unbondingWei: bigint;
  readonly owner: string;
  readonly payout: string;
}

/** A view for each of many accounts, each answer as numbers by the names of its words. @throws InferiumError RpcFailed, TransactionReverted */
export type ManyReader = <Name extends string>(
  contract: keyof ContractAddresses,
  view: { readonly name: string; readonly words: readonly Name[] },
  accounts: readonly string[],
) => Promise<Readonly<Record<Name, bigint>>[]>;

export function createManyReader(provider: JsonRpcProvider, addresses: ContractAddresses): ManyReader {
  return async (contract, { name, words }, accounts) => {
    const { abi } = loadArtifact(contractOf[contract]);
    try {
      const answers = await readMany(provider, { to: addresses[contract], abi, name, accounts });
      return answers.map((data) => {
        const found = readWords(data, words);
        if (found) return found;
        // Another contract stands there, or none: ethers has the words for that.
        abi.decodeFunctionResult(name, data);
        throw new Error(`${name} answers ${data.length} characters, not ${words.length} words`);
      });
    } catch (error) {
      throw toChainError(`Reading ${contractOf[contract]}.${name}`, error);
    }
  };
}

/** In the order of INodeRegistry.Node. */
const nodeWords = ["owner", "role", "disqualified", "releaseAt", "payout", "active", "unbonding"] as const;
const nodeView = { name: "nodeOf", words: nodeWords };
const stateView = { name: "stateOf", words: ["state"] as const };
const claimedView = { name: "claimedOf", words: ["claimed"] as const };

export async function readNode(read: Reader, address: string): Promise<NodeRecord> {
  const [[node], [state]] = await Promise.all([
    read("registry", "nodeOf", [address]),
    read("registry", "stateOf", [address]),
  ]);
  return toRecord(node, state);
}

export async function readNodes(read: ManyReader, addresses: readonly string[]): Promise<NodeRecord[]> {
  const nodes = await read("registry", nodeView, addresses);
  const states = await read("registry", stateView, addresses);
  return nodes.map(({ owner, payout, ...node }, index) =>
    toRecord({ ...node, owner: toAddress(owner), payout: toAddress(payout) }, states[index]?.state ?? 0n),
  );
}

export async function readPayouts(read: ManyReader, addresses: readonly string[]): Promise<string[]> {
  return (await read("registry", nodeView, addresses)).map(({ payout }) => toAddress(payout));
}

export async function readClaimed(read: ManyReader, accounts: readonly string[]): Promise<bigint[]> {
  return (await read("distributor", claimedView, accounts)).map(({ claimed }) => claimed);
}

interface NodeWords extends Pick<NodeRecord, "owner" | "payout"> {
  readonly role: bigint;
  readonly active: bigint;
  readonly unbonding: bigint;
}

function toRecord({ role, active, unbonding, owner, payout }: NodeWords, state: bigint): NodeRecord {
  return {
    role: nodeRoles[Number(role)] ?? "None",
    state: nodeStates[Number(state)] ?? "None",
    stakeWei: active + unbonding,
    unbondingWei: unbonding,
    owner,
    payout,
  };
}
