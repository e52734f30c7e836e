/**
 * `/healthz`, `/readyz` and `/metrics` over plain HTTP, for the kubelet's probes and for Prometheus. Each check is a
 * named function; an answer of 503 lists the checks that failed. Effects: one listening socket.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { describeError, InferiumError } from "../base/errors.ts";

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
  /** For tests. */
  readonly bounds?: {
    readonly headersTimeout?: number;
    readonly requestTimeout?: number;
    readonly connectionsCheckingInterval?: number;
    readonly maxConnections?: number;
  };
}

/** What slow and many clients may cost: probes and Prometheus are few, and ask with a line. */
const bounds = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8 * 1024,
};
const maxConnections = 128;

export interface HealthServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** @throws InferiumError HealthServerFailed when the address cannot be listened on */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer({ ...bounds, ...options.bounds }, (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      send(response, 500, `cannot answer: ${describeError(error)}\n`);
    });
  });
  server.maxConnections = options.bounds?.maxConnections ?? maxConnections;
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return { host: options.host, port, close: () => close(server) };
}

async function answer(options: HealthServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://health");
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
