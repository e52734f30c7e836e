/**
 * The chain behind one JSON-RPC endpoint or several. The chain id is asked once and then fixed: ethers would otherwise ask
 * again before every call, and retry for ever, without a word, where the endpoint is away. No batching and no cache: every
 * read is fresh.
 */
import { type JsonRpcPayload, JsonRpcProvider, type JsonRpcResult, Network, type Provider } from "ethers";
import { EndpointPool, parseEndpoints } from "./endpoints.ts";

export interface EndpointOptions {
  /** One URL, or several separated by commas: the first that answers is asked. */
  readonly rpcUrl: string;
  /** For each request. */
  readonly timeoutMs: number;
  /** Refuse another chain than this one. */
  readonly chainId?: number;
}

/** @throws InferiumError RpcUnavailable, WrongChainId, InvalidRpcUrl */
export async function openProvider(options: EndpointOptions): Promise<JsonRpcProvider> {
  const endpoints = parseEndpoints(options.rpcUrl);
  const pool = new EndpointPool(endpoints, options.timeoutMs);
  const chainId = await pool.start(options.chainId === undefined ? undefined : BigInt(options.chainId));
  return new PooledProvider(pool, Network.from(chainId));
}

class PooledProvider extends JsonRpcProvider {
  readonly pool: EndpointPool;

  constructor(pool: EndpointPool, network: Network) {
    super(pool.endpoints[0]?.url, network, { staticNetwork: network, batchMaxCount: 1, cacheTimeout: -1 });
    this.pool = pool;
  }

  override _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<JsonRpcResult[]> {
    return this.pool.send(payload);
  }
}

/** Whether no endpoint contradicts that the transaction is in this block. With one endpoint there is nobody to ask. */
export async function isUncontested(provider: Provider, txHash: string, blockHash: string): Promise<boolean> {
  return provider instanceof PooledProvider ? provider.pool.isSeenByAll(txHash, blockHash) : true;
}
