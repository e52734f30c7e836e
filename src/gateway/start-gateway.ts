/**
 * The gateway, `inferium gateway`: calls of agents, metered and receipted. Started by main.ts with a directory of agents and
 * a sink for windows, which are the operator's by way of the pool API, or files on a machine without a pool. Effects: one
 * listening socket, calls of backends, models that it hosts itself.
 *
 * Stopping drops no call: first not ready, so that whoever sends callers here looks elsewhere; then nothing new is accepted
 * and what is on may end; then the windows are closed and brought to the operator.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import { type Clock, systemClock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { FrontBounds } from "../base/http-front.ts";
import type { Logger } from "../base/log.ts";
import { createModelHost, type ModelHostOptions } from "../inference/model-host.ts";
import type { AgentDirectory, CallSink, LoadSink } from "../pool/agents.ts";
import { createAgentTable } from "./agent-table.ts";
import { createBackendOpener } from "./backends/backend-opener.ts";
import { startHttpServer } from "./http/http-server.ts";
import { createCallMeter } from "./meter/call-meter.ts";
import { createReceiptKey } from "./meter/receipt-key.ts";
import { createWindowBook, type WindowLimits } from "./meter/window-book.ts";
import { createGatewayMetrics } from "./metrics.ts";
import { reportLoads } from "./report-loads.ts";
import { createGatewayRouter } from "./routes/gateway-router.ts";
import { createOipAgents } from "./routes/oip-agents.ts";
import { createOpenAiRoutes } from "./routes/openai-routes.ts";
import { createReceiptRoutes } from "./routes/receipt-routes.ts";
import { openSpool, type SpoolConfig, untilRead } from "./spool/open-spool.ts";

export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly certPem: string; readonly keyPem: string } | undefined;
  readonly windows: WindowLimits;
  /** Where left out, the windows of a gateway that is killed are lost. */
  readonly spool?: SpoolConfig | undefined;
  /** Of a body, whatever agents allow. */
  readonly maxBodyBytes: number;
  readonly maxAnswerBytes: number;
  /** Calls of one backend at once, where the agent does not say. */
  readonly concurrency: number;
  /** For models that the gateway hosts itself. */
  readonly executor: ModelHostOptions;
  readonly loadReportMs: number;
  readonly drainDelayMs: number;
  readonly graceMs: number;
  readonly bounds?: Partial<FrontBounds>;
}

export interface GatewayDependencies {
  readonly directory: AgentDirectory;
  readonly sink: CallSink;
  readonly loads?: LoadSink;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly registry?: Registry;
}

export interface Gateway {
  readonly url: string;
  isReady(): boolean;
  /** @returns windows that could not be delivered */
  close(): Promise<number>;
}

/** @throws InferiumError PortUnavailable, SpoolInUse, SpoolUnusable */
export async function startGateway(config: GatewayConfig, dependencies: GatewayDependencies): Promise<Gateway> {
  const { directory, sink, loads, logger, registry, clock = systemClock } = dependencies;
  const stopping = new AbortController();
  const isDraining = () => stopping.signal.aborted;
  let isAccepting = true;

  const opened = config.spool && (await openSpool(config.spool, logger));
  const opener = createBackendOpener({ ...config, host: createModelHost(config.executor), clock, logger });
  const agents = createAgentTable({
    directory,
    opener,
    clock,
    logger,
    onDraining: ({ agentId }) => windows.closeAll(agentId),
  });
  const metrics =
    registry &&
    createGatewayMetrics(registry, {
      agents: () => [...agents.all()].map((agent) => ({ agent: agent.entry().name, ...agent.pressure() })),
      heldBytes: () => windows.heldBytes(),
      spoolBytes: () => opened?.spool.bytes() ?? 0,
    });
  const key = createReceiptKey();
  const accountOf = (owner: { agentId: string; callerId: string }) =>
    agents.byId(owner.agentId)?.callers.accountOf(owner.callerId);
  const windows = createWindowBook({
    sink,
    spool: opened?.spool,
    receiptKey: key.publicKey,
    limits: config.windows,
    clock,
    logger,
    onAdopted: (owner, wei) => accountOf(owner)?.hold(wei),
    onCommitted(owner, wei) {
      accountOf(owner)?.hand(wei);
      metrics?.revenueWei.inc({ agent: agents.byId(owner.agentId)?.entry().name ?? "gone" }, Number(wei));
    },
    onRefused: (owner, wei) => accountOf(owner)?.release(wei),
    onEnd: (result) => metrics?.windows.inc({ result }),
  });

  const meter = createCallMeter({ windows, sign: key.sign, clock, metrics, isDraining: () => !isAccepting });
  const route = createGatewayRouter({
    oip: createOipAgents({ agents, meter, isReady: () => !isDraining() }),
    openai: createOpenAiRoutes({ agents, meter, maxBodyBytes: config.maxBodyBytes, startedAtMs: clock.now() }),
    receipts: createReceiptRoutes(agents, windows, key.publicKey),
    metrics,
    logger,
  });
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    // Who keeps its connection would send its next call on one that is about to close.
    if (isDraining()) response.setHeader("connection", "close");
    void route(request, response);
  };
  const adopting = untilRead(directory, stopping.signal).then(() => opened?.left.forEach(windows.adopt));
  const server = await startHttpServer({ ...config, onRequest, logger });
  const reporting =
    loads && reportLoads({ agents, loads, clock, logger, intervalMs: config.loadReportMs }, stopping.signal);

  async function close(): Promise<number> {
    stopping.abort(new Error("the gateway stops"));
    await clock.sleep(config.drainDelayMs);
    isAccepting = false;
    await server.close(config.graceMs);
    await adopting;
    const left = await windows.drain(config.graceMs);
    if (left > 0)
      logger.error(opened ? "windows of calls wait for the next start" : "windows of calls are lost", {
        windows: left,
      });
    await opened?.close();
    await reporting;
    await agents.close().catch((error: unknown) => {
      logger.warn("a backend does not close", { error: describeError(error) });
    });
    return left;
  }

  logger.info("gateway serves", { url: server.url, receiptKey: key.publicKey });
  return { url: server.url, isReady: () => !isDraining(), close };
}
