/**
 * The HTTP front of the gateway and of the model server: bounds for slow and many clients, and an end that drops nobody's
 * call. Effects: one listening socket.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { describeError, InferiumError } from "../../base/errors.ts";
import { createHttpFront, type FrontBounds, type FrontRefusal } from "../../base/http-front.ts";
import { hostInUrl } from "../../base/listen-address.ts";
import type { Logger } from "../../base/log.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls?: { readonly certPem: string; readonly keyPem: string } | undefined;
  readonly bounds?: Partial<FrontBounds>;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly logger?: Logger;
}

/**
 * Callers have a rate by their keys, as their agents say; that of an address bounds whoever has no key, and is wide, since a proxy
 * may bring the calls of all.
 */
export const httpServerBounds: FrontBounds = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  // Longer than clients keep an idle connection, or they would send on one that is just being closed.
  idleTimeoutMs: 75_000,
  maxHeaderBytes: 16 * 1024,
  maxHeaders: 128,
  maxConnections: 4_096,
  callRate: { perSecond: 5_000, burst: 20_000 },
};

export interface HttpServer {
  readonly url: string;
  readonly port: number;
  /** Accepts nothing more, lets calls in progress end for at most `graceMs`, then closes what is left. */
  close(graceMs: number): Promise<void>;
}

/** @throws InferiumError PortUnavailable */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { tls, logger, onRequest } = options;
  const bounds = { ...httpServerBounds, ...options.bounds };
  const { server } = createHttpFront({
    ...{ bounds, describe, logger, onRequest },
    tls: tls && { cert: tls.certPem, key: tls.keyPem, minVersion: "TLSv1.2" },
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const port = await listen(server, options);
  return {
    url: `${tls ? "https" : "http"}://${hostInUrl(options.host)}:${port}`,
    port,
    close: (graceMs) => close(server, sockets, graceMs),
  };
}

/** What both protocols' clients find their message in. */
function describe({ code, message }: FrontRefusal): { contentType: string; body: string } {
  const type = code === "TooManyCalls" ? "rate_limit_exceeded" : "server_error";
  return { contentType: "application/json", body: JSON.stringify({ error: { message, type, param: null, code } }) };
}

function listen(server: Server, { host, port }: HttpServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `Cannot listen on ${host}:${port}: ${describeError(cause)}. Free the port or choose another.`;
      reject(new InferiumError("PortUnavailable", message, { disposition: "fatal", cause }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** What a client opened ahead of a call that has not come by then, it will not miss. */
const silentMs = 250;

function close(server: Server, sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    // A connection that is kept alive becomes idle when its call has ended, and Node then leaves it open.
    const closedAt = performance.now();
    const sweeping = setInterval(() => {
      server.closeIdleConnections();
      if (performance.now() - closedAt < silentMs) return;
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    }, 25);
    server.close(() => {
      clearTimeout(timer);
      clearInterval(sweeping);
      resolve();
    });
  });
}
