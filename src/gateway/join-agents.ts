/** A gateway as a member of the pool: agents come from it, windows and load go to it, under the gateway's own key. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { createCallSink, createLoadSink, followAgents } from "../pool/agent-client.ts";
import { waitForPool } from "../pool/claim-loop.ts";
import { type JoinConfig, joinPool } from "../pool/join-pool.ts";
import type { GatewayPool } from "./run-gateway.ts";

export interface JoinedPool extends GatewayPool {
  /** The pool's time: windows of calls are judged by it. */
  readonly clock: Clock;
  /** Windows may be brought until then. */
  close(): Promise<void>;
}

export interface JoinParts {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Undefined where the signal was aborted first. @throws InferiumError of joinPool, WrongPool, and others that waiting does not mend */
export async function joinAgents(
  config: JoinConfig,
  { signal, logger, clock: ownClock }: JoinParts,
): Promise<JoinedPool | undefined> {
  const { signer, client, clock } = await joinPool(config, { role: "Gateway", logger, clock: ownClock });
  const facts = await waitForPool({ client, clock, logger }, signal);
  if (facts === undefined) {
    await client.close();
    return undefined;
  }
  logger.info("gateway joined the pool", { pool: facts.pool, account: signer.address });
  const directory = followAgents({ client, clock, logger });
  const ending = new AbortController();
  const following = directory.run(ending.signal);
  return {
    directory,
    sink: createCallSink(client),
    loads: createLoadSink(client),
    clock,
    close: async () => {
      ending.abort();
      await following;
      await client.close();
    },
  };
}
