/** Reads of the chain's event logs. */
import type { Filter, Log } from "ethers";
import type { ChainClient } from "./client.ts";
import { toChainError } from "./revert.ts";

/** In the chain's order. @throws InferiumError RpcFailed */
export async function readLogs(client: ChainClient, filter: Filter): Promise<Log[]> {
  try {
    const logs = await client.provider.getLogs(filter);
    return logs.sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
  } catch (error) {
    throw toChainError("Reading the chain's logs", error);
  }
}
