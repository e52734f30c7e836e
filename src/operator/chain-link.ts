/**
 * The chain as something that may be away. Connects in the background, and again after failures; whoever needs it gets a
 * `retry` error in between, so that tasks go on running and only what must be on the chain waits.
 */
import { computeBackoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { ContractAddresses } from "../chain/addresses.ts";
import { type ChainClient, connectChain } from "../chain/client.ts";
import type { OperatorMetrics } from "./metrics.ts";

export interface ChainLinkOptions {
  readonly rpcUrl: string;
  readonly addresses: ContractAddresses;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: OperatorMetrics;
}

export class ChainLink {
  readonly #options: ChainLinkOptions;
  #client: ChainClient | undefined;
  #up: boolean | undefined;

  constructor(options: ChainLinkOptions) {
    this.#options = options;
  }

  /** @throws InferiumError ChainUnavailable where it was never reached */
  get client(): ChainClient {
    if (this.#client) return this.#client;
    throw new InferiumError("ChainUnavailable", "The chain's endpoint has not answered yet; trying again.", {
      disposition: "retry",
    });
  }

  get isConnected(): boolean {
    return this.#client !== undefined;
  }

  /** Resolves once the chain has answered. @throws the signal's reason */
  async connect(signal: AbortSignal): Promise<ChainClient> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#client ??= await connectChain(this.#options);
        this.note(undefined);
        return this.#client;
      } catch (error) {
        this.note(error);
        await this.#options.clock.sleep(computeBackoffMs(attempt, { initialMs: 250, maxMs: 10_000 }), signal);
      }
    }
  }

  /** Records how a call went; a change is logged once. */
  note(error: unknown): void {
    const isUp = error === undefined;
    this.#options.metrics.chainUp.set(isUp ? 1 : 0);
    if (isUp === this.#up) return;
    this.#up = isUp;
    if (isUp) this.#options.logger.info("chain is reachable");
    else this.#options.logger.warn("chain is away", { error: describeError(error) });
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}

/** The endpoint did not answer, or not in order; as against an answer that says no. */
export function isChainAway(error: unknown): boolean {
  return error instanceof InferiumError && ["RpcFailed", "RpcUnavailable", "ChainUnavailable"].includes(error.code);
}
