/**
 * `/healthz`, `/readyz` and `/metrics` over plain HTTP, for the kubelet's probes and for Prometheus. Each check is a
 * named function; an answer of 503 lists the checks that failed. Effects: one listening socket.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { describeError, InferiumError } from "../base/errors.ts";
import { createHttpFront, type FrontBounds } from "../base/http-front.ts";
import type { Logger } from "../base/log.ts";

/** True, or what is wrong. */
export type HealthCheck = () => boolean | string;
export type HealthChecks = Readonly<Record<string, HealthCheck>>;

export interface HealthServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly registry?: Registry | undefined;
  /** A failure here gets the process restarted. */
  readonly live?: HealthChecks;
  /** A failure here only takes it out of service. */
  readonly ready?: HealthChecks;
  readonly bounds?: Partial<FrontBounds>;
  readonly logger?: Logger;
}

/** What slow and many clients may cost: probes and Prometheus are few, and ask with a line. */
export const healthBounds: FrontBounds = {
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  idleTimeoutMs: 75_000,
  maxHeaderBytes: 8 * 1024,
  maxHeaders: 64,
  maxConnections: 128,
  callRate: { perSecond: 50, burst: 200 },
};

export interface HealthServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** @throws InferiumError HealthServerFailed when the address cannot be listened on */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { server } = createHttpFront({
    bounds: { ...healthBounds, ...options.bounds },
    onRequest: (request, response) => {
      answer(options, request, response).catch((error: unknown) => {
        send(response, 500, `cannot answer: ${describeError(error)}\n`);
      });
    },
    logger: options.logger,
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return { host: options.host, port, close: () => close(server) };
}

async function answer(options: HealthServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pathname = request.url?.split("?", 1)[0];
  if (request.method !== "GET" && request.method !== "HEAD") return send(response, 405, "only GET\n");
  if (pathname === "/healthz" || pathname === "/livez") return sendChecks(response, options.live ?? {});
  if (pathname === "/readyz") return sendChecks(response, options.ready ?? {});
  if (pathname !== "/metrics" || !options.registry) return send(response, 404, "try /healthz, /readyz or /metrics\n");
  send(response, 200, await options.registry.metrics(), options.registry.contentType);
}

function sendChecks(response: ServerResponse, checks: HealthChecks): void {
  const results = Object.entries(checks).map(([name, check]) => ({ name, result: runCheck(check) }));
  const lines = results.map(({ name, result }) =>
    result === true ? `[+] ${name} ok` : `[-] ${name}: ${result || "failed"}`,
  );
  const isGood = results.every(({ result }) => result === true);
  send(response, isGood ? 200 : 503, `${[...lines, isGood ? "ok" : "not ok"].join("\n")}\n`);
}

function runCheck(check: HealthCheck): boolean | string {
  try {
    return check();
  } catch (error) {
    return describeError(error);
  }
}

function send(response: ServerResponse, status: number, body: string, contentType = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "content-type": contentType }).end(body);
}

function listen(server: Server, { host, port }: HealthServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `Cannot serve health and metrics on ${host}:${port}: ${describeError(cause)}. Choose a free port.`;
      reject(new InferiumError("HealthServerFailed", message, { disposition: "fatal", cause }));
    });
    server.listen(port, host, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
