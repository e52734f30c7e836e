/**
 * A gateway that can be killed: forked, with what it needs as its first message; says where it serves, what the pool has taken
 * and which answers of the pool it lost. The gateway, the pool's client and the windows are the real ones.
 */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { InferiumError } from "../../../src/base/errors.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { startGateway } from "../../../src/gateway/start-gateway.ts";
import { createCallSink, createLoadSink, followAgents } from "../../../src/pool/agent-client.ts";
import type { AgentEntry, CallSink } from "../../../src/pool/agents.ts";
import { createPoolClient } from "../../../src/pool/client.ts";
import { createSigner } from "../../../src/pool/signer.ts";
import { createRandom } from "../../chaos/random.ts";

export interface GatewaySettings {
  readonly poolUrl: string;
  readonly caPem: string;
  readonly key: string;
  /** Where the agent's replica really is: no endpoint of a cluster can be on loopback. */
  readonly backend: string;
  readonly seed: number;
  readonly windowCalls: number;
  /** The same for the next gateway. */
  readonly spoolDir: string;
  /** Of a hundred answers of the pool so many do not arrive. */
  readonly lostPercent: number;
}

const tell = (message: object) => process.send?.(message);

process.once("message", async (settings: GatewaySettings) => {
  const stopping = new AbortController();
  process.once("SIGTERM", () => stopping.abort(new Error("stopped")));
  const { poolUrl: url, caPem, key } = settings;
  const options = { url, caPem, signer: createSigner(key), role: "Gateway" as const, logger: silentLogger };
  const client = createPoolClient({ ...options, maxAttempts: 1 });
  const followed = followAgents({ client, clock: systemClock, logger: silentLogger, waitMs: 1_000 });
  const ending = new AbortController();
  const following = followed.run(ending.signal);
  const replicas = (entry: AgentEntry) => ({ ...entry, backends: entry.backends.map(() => settings.backend) });
  const directory = { current: () => followed.current().map(replicas), onChange: followed.onChange };
  const cacheDir = await mkdtemp(join(tmpdir(), "inferium-sim-gateway-"));
  const gateway = await startGateway(
    {
      ...{ host: "127.0.0.1", port: 0, maxBodyBytes: 2 ** 20, maxAnswerBytes: 2 ** 20, concurrency: 8 },
      windows: {
        ...{ maxCalls: settings.windowCalls, maxAgeMs: 1_500, maxBytes: 2 ** 24 },
        ...{ maxHeldBytes: 2 ** 26, keptWindows: 10 },
      },
      spool: { dir: settings.spoolDir, maxBytes: 2 ** 26 },
      executor: { cacheDir, fileRoots: [] },
      ...{ loadReportMs: 500, drainDelayMs: 0, graceMs: 60_000 },
    },
    {
      directory,
      sink: loseAnswers(createCallSink(client), settings),
      loads: createLoadSink(client),
      logger: silentLogger,
    },
  );
  tell({ url: gateway.url });
  await new Promise((resolve) => stopping.signal.addEventListener("abort", resolve));
  tell({ left: await gateway.close() });
  ending.abort();
  await following;
  await client.close();
  process.disconnect();
});

/** What the pool did is done; the gateway does not hear of it, and comes again. */
function loseAnswers(sink: CallSink, { seed, lostPercent }: GatewaySettings): CallSink {
  const random = createRandom(seed);
  const lose = (step: string) => {
    if (random.next() * 100 >= lostPercent) return;
    tell({ lost: step });
    throw new InferiumError("AnswerLost", `The answer to ${step} was lost.`, { disposition: "retry" });
  };
  const report = (error: unknown): never => {
    if (error instanceof InferiumError && error.disposition === "reject") tell({ refused: error.code });
    throw error;
  };
  return {
    async commit(window) {
      const committed = await sink.commit(window).catch(report);
      tell({ window, seed: committed.seed });
      lose("commit");
      return committed;
    },
    async open(windowId, calls) {
      await sink.open(windowId, calls).catch(report);
      tell({ opened: windowId, calls });
      lose("open");
    },
  };
}
