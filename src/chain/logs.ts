/** Reads of the chain's event logs, in ranges that endpoints answer. */
import type { Filter, Log } from "ethers";
import type { ChainClient } from "./client.ts";
import { toChainError } from "./revert.ts";

/** Endpoints refuse wider ranges. */
export const maxLogBlocks = 2_000;

/** In the chain's order. @throws InferiumError RpcFailed */
export async function readLogs(client: ChainClient, filter: Filter): Promise<Log[]> {
  try {
    const logs = await client.provider.getLogs(filter);
    return logs.sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
  } catch (error) {
    throw toChainError("Reading the chain's logs", error);
  }
}

/** From a block up to the newest, in the chain's order. @throws InferiumError RpcFailed */
export async function readAllLogs(
  client: ChainClient,
  filter: Pick<Filter, "address" | "topics">,
  fromBlock: number,
): Promise<Log[]> {
  const newest = await client.blockNumber();
  const logs: Log[] = [];
  for (let first = fromBlock; first <= newest; first += maxLogBlocks) {
    const range = { fromBlock: first, toBlock: Math.min(newest, first + maxLogBlocks - 1) };
    logs.push(...(await readLogs(client, { ...filter, ...range })));
  }
  return logs;
}

/** Searches backwards from the newest block. @throws InferiumError RpcFailed */
export async function findNewestLog(
  client: ChainClient,
  filter: Pick<Filter, "address" | "topics">,
  fromBlock: number,
  isWanted: (log: Log) => boolean = () => true,
): Promise<Log | undefined> {
  for (let toBlock = await client.blockNumber(); toBlock >= fromBlock; toBlock -= maxLogBlocks) {
    const range = { fromBlock: Math.max(fromBlock, toBlock - maxLogBlocks + 1), toBlock };
    const found = (await readLogs(client, { ...filter, ...range })).findLast(isWanted);
    if (found !== undefined) return found;
  }
  return undefined;
}
