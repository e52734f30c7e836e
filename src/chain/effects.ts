/**
 * Finds on the chain what a journalled transaction wanted to achieve, whoever sent it: the batch of a sequence number in
 * Settlement's events, a fault in SlashingManager's.
 */
import type { Log, TransactionReceipt } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { loadArtifact } from "./artifacts.ts";
import type { ChainClient } from "./client.ts";
import type { JournalEntry, JournalOutcome } from "./journal.ts";
import { readLogs } from "./logs.ts";
import { toChainError } from "./revert.ts";

type Wanted = Pick<JournalEntry, "id" | "subject" | "payload">;

export function createEffectFinder(client: ChainClient, fromBlock: number) {
  return async (entry: Wanted): Promise<JournalOutcome | undefined> => {
    const payload = entry.payload as { kind?: string };
    const log =
      payload.kind === "settle" ? await findBatch(client, fromBlock, entry) : await findFault(client, fromBlock, entry);
    if (log === undefined) return undefined;
    const receipt = await readReceipt(client, log.transactionHash);
    return { txHash: log.transactionHash, blockNumber: log.blockNumber, gasUsed: (receipt?.gasUsed ?? 0n).toString() };
  };
}

async function findBatch(client: ChainClient, fromBlock: number, entry: Wanted): Promise<Log | undefined> {
  const { header } = entry.payload as unknown as { header: { sequence: string } };
  const sequence = BigInt(header.sequence);
  if ((await client.lastBatch()).sequence < sequence) return undefined;
  const { abi } = loadArtifact("Settlement");
  const topics = abi.encodeFilterTopics("Settled", [sequence]);
  const [log] = await readLogs(client, { address: client.addresses.settlement, topics, fromBlock, toBlock: "latest" });
  if (log !== undefined && log.topics[2] !== entry.subject) throw buildForeignBatch(sequence, log, entry);
  return log;
}

async function findFault(client: ChainClient, fromBlock: number, entry: Wanted): Promise<Log | undefined> {
  if (!(await client.isSlashed(entry.subject))) return undefined;
  const payload = entry.payload as { kind?: string; taskId?: string; attempt?: number; worker?: string };
  const { abi } = loadArtifact("SlashingManager");
  const event = payload.kind === "rejected" ? "RejectedSlashed" : "ContradictionProven";
  const topics = abi.encodeFilterTopics(event, [payload.taskId, null, payload.worker]);
  const logs = await readLogs(client, { address: client.addresses.slashing, topics, fromBlock, toBlock: "latest" });
  return logs.find((log) => Number(abi.parseLog(log)?.args.attempt) === payload.attempt);
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
