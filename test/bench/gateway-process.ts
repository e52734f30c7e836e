/**
 * The gateway, or the model server alone, in a process of its own for the benchmark: forked with what to run as the first message,
 * answers with its URL, and on `close` with what it committed.
 */

import { join } from "node:path";
import { Registry } from "prom-client";
import { parseDigest } from "../../src/base/digest.ts";
import { silentLogger } from "../../src/base/log.ts";
import { serveModels } from "../../src/gateway/serve-models.ts";
import { startGateway } from "../../src/gateway/start-gateway.ts";
import type { AgentEntry, CallSink } from "../../src/pool/agents.ts";

export interface GatewayStart {
  readonly kind: "gateway" | "serve";
  readonly cacheDir: string;
  readonly fileRoots: readonly string[];
  readonly agents: readonly AgentEntry[];
  readonly model: { readonly name: string; readonly uri: string; readonly digest: string };
}

export interface GatewayTotals {
  readonly windows: number;
  readonly calls: number;
  readonly opened: number;
  /** Of the whole process, threads of the model included: tells more than the clock where others share the machine. */
  readonly cpuMicrosecondsPerCall: number;
}

const limits = { maxBodyBytes: 2 ** 22, drainDelayMs: 0, graceMs: 10_000 };
const totals = { windows: 0, calls: 0, opened: 0 };

/** Durable nowhere: what is measured is the gateway's work, its spool included, and not the pool's. */
const sink: CallSink = {
  async commit({ count }) {
    totals.windows += 1;
    totals.calls += count;
    return { seed: `0x${"17".repeat(32)}`, samples: 8 };
  },
  async open(_, calls) {
    totals.opened += calls.length;
  },
};

let close: () => Promise<unknown> = async () => undefined;

async function start({ kind, cacheDir, fileRoots, agents, model }: GatewayStart): Promise<string> {
  const executor = { cacheDir, fileRoots };
  const listen = { host: "127.0.0.1", port: 0, executor };
  if (kind === "serve") {
    const stop = new AbortController();
    return new Promise((resolve, reject) => {
      const models = [{ name: model.name, uri: model.uri, digest: parseDigest(model.digest) }];
      const ended = serveModels(
        { ...listen, ...limits, models },
        { signal: stop.signal, logger: silentLogger, onReady: resolve },
      );
      ended.catch(reject);
      close = async () => {
        stop.abort();
        await ended;
      };
    });
  }
  const windows = { maxCalls: 1_000, maxAgeMs: 30_000, maxBytes: 2 ** 26, maxHeldBytes: 2 ** 28, keptWindows: 100 };
  const spool = { dir: join(cacheDir, `spool-${process.pid}`), maxBytes: 2 ** 28 };
  const directory = { current: () => agents, onChange: () => () => undefined };
  const gateway = await startGateway(
    { ...listen, ...limits, windows, spool, maxAnswerBytes: 2 ** 22, concurrency: 16, loadReportMs: 2_000 },
    { directory, sink, logger: silentLogger, registry: new Registry() },
  );
  close = () => gateway.close();
  return gateway.url;
}

function summarize(): GatewayTotals {
  const { user, system } = process.cpuUsage();
  return { ...totals, cpuMicrosecondsPerCall: Math.round((user + system) / Math.max(1, totals.calls)) };
}

process.on("message", (message: GatewayStart | "close") => {
  if (message === "close") void close().finally(() => process.send?.(summarize(), () => process.disconnect()));
  else void start(message).then((url) => process.send?.({ url }));
});
