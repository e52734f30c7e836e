/**
 * One JSON-RPC endpoint. The chain id is asked once and then fixed: ethers would otherwise ask again before every call,
 * and retry for ever, without a word, where the endpoint is away. No batching and no cache: every read is fresh.
 */
import { FetchRequest, JsonRpcProvider, Network } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { describeRpcError } from "./revert.ts";

export interface EndpointOptions {
  readonly rpcUrl: string;
  /** For each request. */
  readonly timeoutMs: number;
}

/** @throws InferiumError RpcUnavailable */
export async function openProvider(options: EndpointOptions): Promise<JsonRpcProvider> {
  const chainId = await fetchChainId(options);
  const network = Network.from(chainId);
  return new JsonRpcProvider(buildRequest(options), network, {
    staticNetwork: network,
    batchMaxCount: 1,
    cacheTimeout: -1,
  });
}

function buildRequest(options: EndpointOptions): FetchRequest {
  const request = new FetchRequest(options.rpcUrl);
  request.timeout = options.timeoutMs;
  return request;
}

async function fetchChainId(options: EndpointOptions): Promise<bigint> {
  const request = buildRequest(options);
  request.body = { jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] };
  try {
    const response = await request.send();
    response.assertOk();
    return BigInt((response.bodyJson as { result: string }).result);
  } catch (error) {
    throw new InferiumError(
      "RpcUnavailable",
      `No Ethereum JSON-RPC answer from ${withoutSecrets(options.rpcUrl)}: ${describeRpcError(error)}. Check that the node runs and the URL is right.`,
      { disposition: "retry" },
    );
  }
}

/** Endpoints often carry an API key in the path or the query. */
function withoutSecrets(rpcUrl: string): string {
  return URL.canParse(rpcUrl) ? new URL(rpcUrl).origin : "a URL that does not parse";
}
