/**
 * The pool API over HTTPS, run by the operator. Order of every call: route, rate, session, role, body, shape, backend;
 * so that what costs more comes after what has proven more. Effects: one listening port; everything else is the
 * backend's.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { Registry } from "prom-client";
import { type Clock, systemClock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import { createHttpFront } from "../base/http-front.ts";
import { hostInUrl } from "../base/listen-address.ts";
import type { Logger } from "../base/log.ts";
import type { ProtocolDomain } from "../protocol/typed-data.ts";
import type { PoolBackend } from "./backend.ts";
import { CallsInProgress } from "./calls-in-progress.ts";
import { createChallenges } from "./challenge.ts";
import { defaultServerLimits, type PoolServerLimits } from "./limits.ts";
import { createPoolMetrics, type PoolMetrics } from "./metrics.ts";
import { poolTimeHeader } from "./pool-clock.ts";
import { answerError, PoolRefusal } from "./refusal.ts";
import { createRouter, type Router } from "./router.ts";
import { createSessionStore } from "./sessions.ts";
import type { ErrorResponse } from "./wire.ts";

export interface PoolServerOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly tls: { readonly certPem: string; readonly keyPem: string };
  /** Name of the pool, which sessions and orders are signed for. */
  readonly pool: string;
  readonly domain: ProtocolDomain;
  readonly backend: PoolBackend;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly limits?: Partial<PoolServerLimits>;
  readonly registry?: Registry;
}

export interface PoolServer {
  readonly url: string;
  /** For connections from now on; those that are open stay. @throws where the two do not belong together */
  setCertificate(pair: PoolServerOptions["tls"]): void;
  /** Ends waiting claims with empty answers, lets calls in progress finish for a moment, then closes. */
  close(): Promise<void>;
}

const closeGraceMs = 5_000;
const tlsBounds = { minVersion: "TLSv1.2" } as const;

/** @throws InferiumError PortUnavailable */
export async function startPoolServer(options: PoolServerOptions): Promise<PoolServer> {
  const { logger } = options;
  const limits = { ...defaultServerLimits, ...options.limits };
  const metrics = options.registry === undefined ? undefined : createPoolMetrics(options.registry);
  const calls = new CallsInProgress();
  const clock = options.clock ?? systemClock;
  const router = buildRouter({ ...options, clock }, limits, metrics);
  const context = { router, clock, metrics, logger, calls };
  const { server } = createHttpFront({
    bounds: limits,
    tls: { cert: options.tls.certPem, key: options.tls.keyPem, ...tlsBounds },
    onRequest: (request, response) => void serve(context, request, response),
    describe: ({ code, message }) => ({
      contentType: "application/json",
      body: JSON.stringify({ error: { code, message } } satisfies ErrorResponse),
    }),
    onTurnedAway: () => metrics?.dropped.inc(),
    logger,
  });
  countConnections(server, metrics);
  const port = await listen(server, options);
  return {
    url: `https://${hostInUrl(options.host)}:${port}`,
    setCertificate: ({ certPem, keyPem }) => server.setSecureContext({ ...tlsBounds, cert: certPem, key: keyPem }),
    close: () => close(server, calls),
  };
}

function countConnections(server: Server, metrics: PoolMetrics | undefined): void {
  server.on("connection", (socket) => {
    metrics?.connections.inc();
    socket.once("close", () => metrics?.connections.dec());
  });
}

type RouterOptions = PoolServerOptions & { readonly clock: Clock };

function buildRouter(options: RouterOptions, limits: PoolServerLimits, metrics: PoolMetrics | undefined): Router {
  const { clock, pool, domain, backend } = options;
  const challenges = createChallenges(limits.challengeTtlMs, clock);
  const sessions = createSessionStore({
    ttlMs: limits.sessionTtlMs,
    maxSessions: limits.maxSessions,
    maxPerAccount: limits.maxSessionsPerAccount,
    clock,
  });
  return createRouter({ gate: { pool, domain, backend, challenges, sessions }, limits, metrics, clock });
}

interface ServeContext {
  readonly router: Router;
  readonly clock: Clock;
  readonly metrics: PoolMetrics | undefined;
  readonly logger: Logger;
  readonly calls: CallsInProgress;
}

async function serve(context: ServeContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const startedAt = performance.now();
  const route = context.router.find(request);
  const call = context.calls.follow(response);
  const answer = await route.answer(request, call).then(
    (body) => ({ status: 200, body, retryAfterSeconds: undefined }),
    (error: unknown) => {
      const known = answerError(error);
      const code = error instanceof InferiumError ? error.code : "Unexpected";
      if (known.status === 500)
        context.logger.error("pool call failed", { verb: route.name, code, error: describeError(error) });
      return known;
    },
  );
  context.metrics?.requests.inc({ verb: route.name, code: String(answer.status) });
  context.metrics?.seconds.observe({ verb: route.name }, (performance.now() - startedAt) / 1000);
  if (response.destroyed) return;
  if (answer.retryAfterSeconds !== undefined) response.setHeader("retry-after", String(answer.retryAfterSeconds));
  if (context.calls.isClosing) response.setHeader("connection", "close");
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "cache-control": "no-store",
    [poolTimeHeader]: String(context.clock.now()),
  });
  response.end(JSON.stringify(answer.body));
}

function listen(server: Server, { host, port }: PoolServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `The pool API cannot listen on ${host}:${port}; free the port or choose another.`;
      reject(new InferiumError("PortUnavailable", message, { disposition: "fatal", cause }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

function close(server: Server, calls: CallsInProgress): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), closeGraceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    calls.close(new PoolRefusal(503, "Closing", "The pool is closing; try again.", 1000));
    server.closeIdleConnections();
  });
}
