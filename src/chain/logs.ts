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
