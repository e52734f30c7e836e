/**
 * The JSON-RPC endpoints of one chain as one: asked in the given order, the next one where one is away, refuses, lags
 * behind or is on another chain. A transaction goes to all of them, since any one may drop it. Used by provider.ts.
 */
import { FetchRequest, type JsonRpcPayload, type JsonRpcResult } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { describeRpcError } from "./revert.ts";

export interface RpcEndpoint {
  readonly url: string;
  /** Monotonic time until which others are asked first. */
  restsUntilMs: number;
  failures: number;
  /** Whether it was asked for its chain id, and it is the one that was expected. */
  verified: boolean;
}

const firstRestMs = 1_000;
const maxRestMs = 60_000;
/** So far behind the highest block that any endpoint has told of, an answer is stale. */
const maxLagBlocks = 3;

/** @throws InferiumError InvalidRpcUrl */
export function parseEndpoints(rpcUrl: string): RpcEndpoint[] {
  const urls = rpcUrl.split(",").map((part) => part.trim());
  for (const url of urls) {
    if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) continue;
    const message = `"${withoutSecrets(url)}" is no http or https URL of a JSON-RPC endpoint; several are separated by commas.`;
    throw new InferiumError("InvalidRpcUrl", message, { disposition: "fatal" });
  }
  return urls.map((url) => ({ url, restsUntilMs: 0, failures: 0, verified: false }));
}

type Payload = JsonRpcPayload | JsonRpcPayload[];

export class EndpointPool {
  readonly endpoints: readonly RpcEndpoint[];
  readonly #timeoutMs: number;
  readonly #now: () => number;
  #chainId: bigint | undefined;
  #highestBlock = 0;

  constructor(endpoints: readonly RpcEndpoint[], timeoutMs: number, now: () => number = () => performance.now()) {
    this.endpoints = endpoints;
    this.#timeoutMs = timeoutMs;
    this.#now = now;
  }

  /** The chain that the first endpoint to answer is on. @throws InferiumError RpcUnavailable, WrongChainId */
  async start(expected?: bigint): Promise<bigint> {
    this.#chainId = expected;
    let last: unknown;
    for (const endpoint of this.endpoints) {
      try {
        await this.#verify(endpoint);
      } catch (error) {
        if (error instanceof InferiumError && error.code === "WrongChainId") throw error;
        this.#rest(endpoint);
        last = error;
      }
    }
    if (this.#chainId !== undefined && this.endpoints.some(({ verified }) => verified)) return this.#chainId;
    const names = this.endpoints.map(({ url }) => withoutSecrets(url)).join(", ");
    throw new InferiumError(
      "RpcUnavailable",
      `No Ethereum JSON-RPC answer from ${names}: ${describeRpcError(last)}. Check that the node runs and the URL is right.`,
      { disposition: "retry" },
    );
  }

  async send(payload: Payload): Promise<JsonRpcResult[]> {
    const method = Array.isArray(payload) ? "" : payload.method;
    if (method === "eth_sendRawTransaction" && this.endpoints.length > 1) return this.#sendToAll(payload);
    let last: unknown;
    let stale: JsonRpcResult[] | undefined;
    for (const endpoint of this.#order()) {
      try {
        const results = await this.#ask(endpoint, payload);
        if (!this.#isStale(method, results)) {
          endpoint.failures = 0;
          return results;
        }
        stale ??= results;
        this.#rest(endpoint);
      } catch (error) {
        this.#rest(endpoint);
        last = error;
      }
    }
    // All lag, as after a deep reorganisation: then that is what the chain is.
    if (stale === undefined) throw last;
    this.#highestBlock = 0;
    return stale;
  }

  /**
   * Whether every endpoint that answers has the transaction in this block: one that lies, or follows a fork that loses, must
   * not decide alone.
   */
  async isSeenByAll(txHash: string, blockHash: string): Promise<boolean> {
    if (this.endpoints.length === 1) return true;
    const payload = { jsonrpc: "2.0" as const, id: 1, method: "eth_getTransactionReceipt", params: [txHash] };
    const answers = await Promise.allSettled(this.endpoints.map((endpoint) => this.#ask(endpoint, payload)));
    return answers.every(
      (answer) => answer.status === "rejected" || readBlockHash(answer.value) === blockHash.toLowerCase(),
    );
  }

  async #sendToAll(payload: Payload): Promise<JsonRpcResult[]> {
    const answers = await Promise.allSettled(this.endpoints.map((endpoint) => this.#ask(endpoint, payload)));
    const given = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    const taken = given.find(([first]) => first !== undefined && !("error" in first)) ?? given[0];
    if (taken) return taken;
    throw answers[0]?.status === "rejected" ? answers[0].reason : new Error("no endpoint");
  }

  /** Those that rest come last: better than nothing. */
  #order(): RpcEndpoint[] {
    const now = this.#now();
    const isResting = (endpoint: RpcEndpoint) => Number(endpoint.restsUntilMs > now);
    return [...this.endpoints].sort((a, b) => isResting(a) - isResting(b));
  }

  #rest(endpoint: RpcEndpoint): void {
    endpoint.failures += 1;
    const restMs = Math.min(maxRestMs, firstRestMs * 2 ** (endpoint.failures - 1));
    endpoint.restsUntilMs = this.#now() + restMs;
  }

  #isStale(method: string, results: readonly JsonRpcResult[]): boolean {
    if (method !== "eth_blockNumber" || this.endpoints.length === 1) return false;
    const block = Number(results[0]?.result);
    if (block < this.#highestBlock - maxLagBlocks) return true;
    this.#highestBlock = Math.max(this.#highestBlock, block);
    return false;
  }

  async #ask(endpoint: RpcEndpoint, payload: Payload): Promise<JsonRpcResult[]> {
    if (!endpoint.verified) await this.#verify(endpoint);
    const results = await this.#post(endpoint, payload);
    const refused = this.endpoints.length > 1 ? results.map(readError).find(isOverloaded) : undefined;
    if (refused !== undefined) throw new Error(`${withoutSecrets(endpoint.url)} refused: ${refused.message}`);
    return results;
  }

  async #verify(endpoint: RpcEndpoint): Promise<void> {
    const [answer] = await this.#post(endpoint, { jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] });
    const chainId = BigInt(String(answer?.result));
    if (this.#chainId !== undefined && chainId !== this.#chainId) {
      const message = `${withoutSecrets(endpoint.url)} is on chain ${chainId}; expected ${this.#chainId}. Correct the URL or the chain id.`;
      throw new InferiumError("WrongChainId", message, { disposition: "fatal" });
    }
    this.#chainId = chainId;
    endpoint.verified = true;
  }

  async #post(endpoint: RpcEndpoint, payload: Payload): Promise<JsonRpcResult[]> {
    const request = new FetchRequest(endpoint.url);
    request.timeout = this.#timeoutMs;
    // The next endpoint is a better answer to "too many requests" than waiting.
    if (this.endpoints.length > 1) request.setThrottleParams({ maxAttempts: 1 });
    request.body = payload;
    const response = await request.send();
    response.assertOk();
    const body: unknown = response.bodyJson;
    return (Array.isArray(body) ? body : [body]) as JsonRpcResult[];
  }
}

interface RpcFault {
  readonly code?: number;
  readonly message?: string;
}

function readError(result: JsonRpcResult): RpcFault | undefined {
  return (result as unknown as { error?: RpcFault }).error;
}

/** Refusals that say something of the endpoint and nothing of the request. */
function isOverloaded(fault: RpcFault | undefined): fault is RpcFault {
  if (fault === undefined) return false;
  return fault.code === -32005 || /rate limit|too many requests|over capacity|timed? ?out/i.test(fault.message ?? "");
}

function readBlockHash(results: readonly JsonRpcResult[]): string | undefined {
  const receipt = results[0]?.result as { blockHash?: string } | null | undefined;
  return receipt?.blockHash?.toLowerCase();
}

/** Endpoints often carry an API key in the path or the query. */
export function withoutSecrets(rpcUrl: string): string {
  return URL.canParse(rpcUrl) ? new URL(rpcUrl).origin : "a URL that does not parse";
}
