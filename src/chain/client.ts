/**
 * Reads of the contracts, typed. Used by the operator, the validators and the command line; it has no key and changes
 * nothing. Every read goes to the endpoint: nothing is cached.
 */
import { Interface, type JsonRpcProvider, type Result } from "ethers";
import { completeTaskLeaf, type TaskLeaf } from "../protocol/merkle.ts";
import type { ProofStatement } from "../protocol/proof.ts";
import type { BatchHeaderMessage, ProtocolDomain, ReceiptMessage } from "../protocol/typed-data.ts";
import { type ContractAddresses, contractOf } from "./addresses.ts";
import { type AgentRecord, readAgent } from "./agent-reader.ts";
import { loadArtifact } from "./artifacts.ts";
import { createManyReader, type NodeRecord, readClaimed, readNode, readNodes, readPayouts } from "./node-reader.ts";
import { type EndpointOptions, openProvider } from "./provider.ts";
import { type RegisteredCircuit, readCircuit } from "./registered-circuit.ts";
import { toChainError } from "./revert.ts";

export interface LastBatch {
  /** 0 before the first batch. */
  readonly sequence: bigint;
  /** 32 zero bytes before the first batch. */
  readonly headerHash: string;
  readonly settledWei: bigint;
}

export interface ChainClient {
  readonly chainId: number;
  readonly addresses: ContractAddresses;
  /** For the typed data of the protocol. */
  readonly domain: ProtocolDomain;
  readonly provider: JsonRpcProvider;
  node(address: string): Promise<NodeRecord>;
  /** Of many at once, in their order. */
  nodes(addresses: readonly string[]): Promise<NodeRecord[]>;
  /** Who is paid for the work of each node, in their order; zero for one that never bonded. */
  payouts(addresses: readonly string[]): Promise<string[]>;
  epoch(): Promise<bigint>;
  /** In the ascending order of the certificate's bitmap. */
  validators(epoch: bigint): Promise<string[]>;
  lastBatch(): Promise<LastBatch>;
  /** All that was ever paid to `account` in rewards. */
  claimed(account: string): Promise<bigint>;
  /** The same of many at once, in their order. */
  claimedOf(accounts: readonly string[]): Promise<bigint[]>;
  /** Upper bound of what `requester` may ever have spent: deposited, less withdrawn, less asked back. */
  spendable(requester: string): Promise<bigint>;
  /** The most that was proven to the escrow to be spent by `requester`. */
  provenSpent(requester: string): Promise<bigint>;
  /** What `requester` has asked back; nothing where the amount is 0. */
  withdrawal(requester: string): Promise<{ readonly amountWei: bigint; readonly readyAt: number }>;
  /** Second until which settling and claiming are paused; in the past where they are not. */
  pausedUntil(): Promise<number>;
  /** Whether the chain takes certificates of this epoch now. */
  isLive(epoch: bigint): Promise<boolean>;
  /** Hash of the newest final header; 32 zero bytes before there is one. */
  finalHeader(): Promise<string>;
  /** Hash of the header that becomes final next; 32 zero bytes where there is none. */
  candidateHeader(): Promise<string>;
  balanceOf(account: string): Promise<bigint>;
  /** Whether nobody can move tokens now. Ours cannot be paused; the public one can. */
  isTokenPaused(): Promise<boolean>;
  isSlashed(faultId: string): Promise<boolean>;
  /** Whether a validator was slashed for the endorsement with this digest. */
  isProofSlashed(faultId: string): Promise<boolean>;
  /** `path`: the header of the task's batch and its successors up to the last one or to a multiple of 256. */
  verifyTask(path: readonly BatchHeaderMessage[], task: TaskLeaf, proof: readonly string[]): Promise<boolean>;
  /** Who is paid for an agent's calls, and in which shares; undefined where no such agent is registered. */
  agent(agentId: string): Promise<AgentRecord | undefined>;
  /** The circuit that a model's proofs of so many rows are checked with; undefined where none is registered. */
  circuit(modelDigest: string, rows: number): Promise<RegisteredCircuit | undefined>;
  /**
   * Has the chain check a proof for the work of a receipt.
   * @throws InferiumError TransactionReverted, whose evidence names the contract's reason, such as InvalidProof or AnotherWorker
   */
  verifyProof(receipt: ReceiptMessage, statement: ProofStatement, words: readonly string[]): Promise<void>;
  blockNumber(): Promise<number>;
  /** The last block's time, in milliseconds since the epoch. */
  blockTimeMs(): Promise<number>;
  /** Undefined where the chain has no such block. */
  blockHash(number: number): Promise<string | undefined>;
  close(): void;
}

export interface ConnectOptions extends EndpointOptions {
  readonly addresses: ContractAddresses;
}

/** @throws InferiumError RpcUnavailable; the reads throw RpcFailed and TransactionReverted */
export async function connectChain(options: ConnectOptions): Promise<ChainClient> {
  const provider = await openProvider(options);
  const { addresses } = options;
  const read = createReader(provider, addresses);
  const many = createManyReader(provider, addresses);
  const { chainId } = await provider.getNetwork();
  return {
    chainId: Number(chainId),
    addresses,
    domain: { chainId: Number(chainId), settlement: addresses.settlement },
    provider,
    node: (address) => readNode(read, address),
    nodes: (nodes) => readNodes(many, nodes),
    payouts: (nodes) => readPayouts(many, nodes),
    epoch: async () => BigInt((await read("validatorSets", "epoch", []))[0]),
    validators: async (epoch) => [...(await read("validatorSets", "validatorsOf", [epoch]))[0]],
    lastBatch: async () => toLastBatch(await read("settlement", "lastBatch", [])),
    claimed: async (account) => (await read("distributor", "claimedOf", [account]))[0],
    claimedOf: (accounts) => readClaimed(many, accounts),
    spendable: async (requester) => (await read("escrow", "spendableOf", [requester]))[0],
    provenSpent: async (requester) => (await read("escrow", "provenSpentOf", [requester]))[0],
    withdrawal: async (requester) => toWithdrawal(await read("escrow", "withdrawalOf", [requester])),
    pausedUntil: async () => Number((await read("settlement", "pausedUntil", []))[0]),
    isLive: async (epoch) => (await read("validatorSets", "isLive", [epoch]))[0],
    finalHeader: async () => (await read("settlement", "finalHeader", []))[0],
    candidateHeader: async () => (await read("settlement", "candidateHeader", []))[0],
    balanceOf: async (account) => (await read("token", "balanceOf", [account]))[0],
    isTokenPaused: () => readPaused(provider, addresses.token),
    isProofSlashed: async (faultId) => (await read("zkFaults", "isSlashed", [faultId]))[0],
    isSlashed: async (faultId) => (await read("slashing", "isSlashed", [faultId]))[0],
    verifyTask: async (path, task, proof) =>
      (await read("settlement", "verifyTask", [path, completeTaskLeaf(task), proof]))[0],
    agent: (agentId) => readAgent(read, agentId),
    circuit: (modelDigest, rows) => readCircuit({ read, provider }, modelDigest, rows),
    verifyProof: async (receipt, statement, words) =>
      void (await read("zkVerifier", "verifyFor", [receipt, statement, words])),
    blockNumber: () => provider.getBlockNumber().catch(failReading("the block number")),
    blockTimeMs: async () =>
      ((await provider.getBlock("latest").catch(failReading("the last block")))?.timestamp ?? 0) * 1_000,
    blockHash: async (number) => (await provider.getBlock(number).catch(failReading("a block")))?.hash ?? undefined,
    close: () => provider.destroy(),
  };
}

/** Of a token without such a function it is false. */
async function readPaused(provider: JsonRpcProvider, token: string): Promise<boolean> {
  try {
    return pausable.decodeFunctionResult("paused", await provider.call({ to: token, data: pausedCall }))[0];
  } catch (error) {
    const failed = toChainError("Reading the token's paused", error);
    if (failed.code === "TransactionReverted") return false;
    throw failed;
  }
}

const pausable = new Interface(["function paused() view returns (bool)"]);
const pausedCall = pausable.encodeFunctionData("paused");

const failReading = (what: string) => (error: unknown) => {
  throw toChainError(`Reading ${what}`, error);
};

/** Calls a view of one of the contracts. @throws InferiumError RpcFailed, TransactionReverted */
export type Reader = (contract: keyof ContractAddresses, name: string, values: readonly unknown[]) => Promise<Result>;

export function createReader(provider: JsonRpcProvider, addresses: ContractAddresses): Reader {
  return async (contract, name, values) => {
    const { abi } = loadArtifact(contractOf[contract]);
    try {
      const data = await provider.call({ to: addresses[contract], data: abi.encodeFunctionData(name, values) });
      return abi.decodeFunctionResult(name, data);
    } catch (error) {
      throw toChainError(`Reading ${contractOf[contract]}.${name}`, error);
    }
  };
}

function toWithdrawal([{ amount, readyAt }]: Result) {
  return { amountWei: amount as bigint, readyAt: Number(readyAt) };
}

function toLastBatch(result: Result): LastBatch {
  return { sequence: result.sequence, headerHash: result.headerHash, settledWei: result.settledWei };
}
