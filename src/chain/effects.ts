/**
 * Finds on the chain what a journalled transaction wanted to achieve, whoever sent it: the batch of a sequence number in
 * Settlement's events, a fault in SlashingManager's.
 */
import type { Log, TransactionReceipt } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { loadArtifact } from "./artifacts.ts";
import type { ChainClient } from "./client.ts";
import type { FaultKind } from "./faults.ts";
import type { JournalEntry, JournalOutcome } from "./journal.ts";
import { findNewestLog } from "./logs.ts";
import { toChainError } from "./revert.ts";

type Wanted = Pick<JournalEntry, "id" | "subject" | "payload">;

export function createEffectFinder(client: ChainClient, fromBlock: number) {
  return async (entry: Wanted): Promise<JournalOutcome | undefined> => {
    const { kind } = entry.payload as { kind?: string };
    const find = finders[kind ?? ""] ?? findFault;
    const log = await find(client, fromBlock, entry);
    if (log === undefined) return undefined;
    const receipt = await readReceipt(client, log.transactionHash);
    return { txHash: log.transactionHash, blockNumber: log.blockNumber, gasUsed: (receipt?.gasUsed ?? 0n).toString() };
  };
}

type Finder = (client: ChainClient, fromBlock: number, entry: Wanted) => Promise<Log | undefined>;

/** By what a transaction is for; everything else is a fault that SlashingManager knows. */
const finders: Readonly<Record<string, Finder>> = {
  settle: findBatch,
  spent: findSpent,
  badProof: findBadProof,
  fill: findNothing,
};

/** The newest event of the number counts: an older one may be of a batch that was rolled back. */
async function findBatch(client: ChainClient, fromBlock: number, entry: Wanted): Promise<Log | undefined> {
  const { header } = entry.payload as unknown as { header: { sequence: string } };
  const sequence = BigInt(header.sequence);
  if ((await client.lastBatch()).sequence < sequence) return undefined;
  const { abi } = loadArtifact("Settlement");
  const topics = abi.encodeFilterTopics("Settled", [sequence]);
  const log = await findNewestLog(client, { address: client.addresses.settlement, topics }, fromBlock);
  if (log === undefined) throw buildNoLog(`batch ${sequence}`);
  if (log.topics[2] !== entry.subject) throw buildForeignBatch(sequence, log, entry);
  return log;
}

const faultEvents: Readonly<Record<FaultKind, string>> = {
  rejected: "RejectedSlashed",
  missed: "MissedSlashed",
  contradiction: "ContradictionProven",
};

async function findFault(client: ChainClient, fromBlock: number, entry: Wanted): Promise<Log | undefined> {
  if (!(await client.isSlashed(entry.subject))) return undefined;
  const payload = entry.payload as { kind?: string; taskId?: string; attempt?: number; worker?: string };
  const { abi } = loadArtifact("SlashingManager");
  const topics = abi.encodeFilterTopics(faultEvents[payload.kind as FaultKind], [payload.taskId, null, payload.worker]);
  const isThis = (log: Log) => Number(abi.parseLog(log)?.args.attempt) === payload.attempt;
  const log = await findNewestLog(client, { address: client.addresses.slashing, topics }, fromBlock, isThis);
  if (log === undefined) throw buildNoLog(`fault ${entry.subject}`);
  return log;
}

/** It is on the chain, so its event will be found: the endpoint is behind itself, or keeps too little. */
function buildNoLog(what: string): InferiumError {
  const message = `The chain has ${what}, and the endpoint finds no event of it; trying again. Use one that keeps all logs.`;
  return new InferiumError("RpcFailed", message, { disposition: "retry" });
}

async function findBadProof(client: ChainClient, fromBlock: number, entry: Wanted): Promise<Log | undefined> {
  if (!(await client.isProofSlashed(entry.subject))) return undefined;
  const { taskId, validator } = entry.payload as { taskId?: string; validator?: string };
  const topics = loadArtifact("ZkFaults").abi.encodeFilterTopics("BadProofProven", [taskId, validator]);
  const log = await findNewestLog(client, { address: client.addresses.zkFaults, topics }, fromBlock);
  if (log === undefined) throw buildNoLog(`a bad proof that ${validator} endorsed`);
  return log;
}

/** More than was asked for may be proven meanwhile. */
async function findSpent(client: ChainClient, fromBlock: number, entry: Wanted): Promise<Log | undefined> {
  const { requester, spentWei } = entry.payload as { requester?: string; spentWei?: string };
  if ((await client.provenSpent(requester ?? "")) < BigInt(spentWei ?? "0")) return undefined;
  const topics = loadArtifact("TaskEscrow").abi.encodeFilterTopics("SpentProven", [requester]);
  const log = await findNewestLog(client, { address: client.addresses.escrow, topics }, fromBlock);
  if (log === undefined) throw buildNoLog(`what ${requester} has spent`);
  return log;
}

/** A filler of a nonce wants nothing of the contracts. */
async function findNothing(): Promise<undefined> {
  return undefined;
}

async function readReceipt(client: ChainClient, txHash: string): Promise<TransactionReceipt | null> {
  try {
    return await client.provider.getTransactionReceipt(txHash);
  } catch (error) {
    throw toChainError("Reading a receipt", error);
  }
}

function buildForeignBatch(sequence: bigint, log: Log, entry: Wanted): InferiumError {
  return new InferiumError(
    "ForeignBatch",
    `Batch ${sequence} is settled with header ${log.topics[2]}, ours is ${entry.subject}: the validators signed two headers ` +
      "for one sequence number. Stop settling and find out which of them did.",
    { disposition: "fatal" },
  );
}
