/**
 * The headers of settled batches, from the chain alone: Settlement's events name the transactions, whose calldata holds the
 * header and its certificate. What the calldata says is believed only where it hashes to what the event says.
 */
import { InferiumError } from "../base/errors.ts";
import type { BatchHeaderMessage } from "../protocol/typed-data.ts";
import { loadArtifact } from "./artifacts.ts";
import type { ChainClient } from "./client.ts";
import { hashHeader } from "./header.ts";
import { findNewestLog } from "./logs.ts";
import { toChainError } from "./revert.ts";

export interface SettledHeader {
  readonly header: BatchHeaderMessage;
  readonly headerHash: string;
  /** Bit i: the i-th validator of the epoch signed. */
  readonly bitmap: bigint;
  readonly txHash: string;
  readonly blockNumber: number;
}

/** @throws InferiumError BatchNotSettled, HeaderNotInCalldata, RpcFailed */
export async function readSettledHeader(
  client: ChainClient,
  sequence: bigint,
  fromBlock: number,
): Promise<SettledHeader> {
  const { abi } = loadArtifact("Settlement");
  const filter = { address: client.addresses.settlement, topics: abi.encodeFilterTopics("Settled", [sequence]) };
  const log = await findNewestLog(client, filter, fromBlock);
  if (log === undefined) {
    const message = `The chain has no batch ${sequence} from block ${fromBlock} on; an earlier block may be given with --from-block.`;
    throw new InferiumError("BatchNotSettled", message);
  }
  const data = await readCalldata(client, log.transactionHash);
  const parsed = abi.parseTransaction({ data });
  const header = parsed?.name === "settle" ? toHeader(parsed.args[0]) : undefined;
  const headerHash = log.topics[2] ?? "";
  if (header === undefined || hashHeader(client.domain, header) !== headerHash) {
    const message =
      `Transaction ${log.transactionHash}, which settled batch ${sequence}, does not carry its header as calldata of Settlement; ` +
      "it was sent through another contract. Take the headers from the pool's records.";
    throw new InferiumError("HeaderNotInCalldata", message);
  }
  const bitmap = BigInt(parsed?.args[1] ?? 0n);
  return { header, headerHash, bitmap, txHash: log.transactionHash, blockNumber: log.blockNumber };
}

/** Undefined where the chain has settled no batch of this sequence. @throws InferiumError RpcFailed */
export async function readHeaderHash(
  client: ChainClient,
  sequence: bigint,
  fromBlock: number,
): Promise<string | undefined> {
  if ((await client.lastBatch()).sequence < sequence) return undefined;
  const topics = loadArtifact("Settlement").abi.encodeFilterTopics("Settled", [sequence]);
  return (await findNewestLog(client, { address: client.addresses.settlement, topics }, fromBlock))?.topics[2];
}

async function readCalldata(client: ChainClient, txHash: string): Promise<string> {
  try {
    return (await client.provider.getTransaction(txHash))?.data ?? "0x";
  } catch (error) {
    throw toChainError("Reading a transaction", error);
  }
}

interface HeaderResult extends Omit<BatchHeaderMessage, "taskCount"> {
  readonly taskCount: bigint;
}

/** Field by field: a decoded struct has its names as getters, which a spread leaves out. */
function toHeader(result: HeaderResult): BatchHeaderMessage {
  const { sequence, previousHash, epoch, taskRoot, balanceRoot, taskCount, settledWei, createdAt } = result;
  return { sequence, previousHash, epoch, taskRoot, balanceRoot, taskCount: Number(taskCount), settledWei, createdAt };
}
