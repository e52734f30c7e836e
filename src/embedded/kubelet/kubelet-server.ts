/**
 * The HTTPS endpoint of process kubelets: container logs, `exec`, `attach` and health. One server may serve all the kubelets of a process.
 * A caller proves itself by the bearer token, or by a client certificate whose holder the cluster allows (which is how a
 * real API server comes). Effects: one listening socket on loopback.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { createHttpFront, type FrontBounds } from "../../base/http-front.ts";
import type { Logger } from "../../base/log.ts";
import type { ClientAccess } from "./client-access.ts";
import type { ContainerRun } from "./container-run.ts";
import type { LogFile } from "./log-file.ts";
import { readLog } from "./log-reader.ts";
import { parseLogQuery, parseLogTarget } from "./log-request.ts";
import { hostAddress } from "./node-object.ts";
import { parseStreamRequest, type StreamRequest } from "./stream-request.ts";
import { serveAttach, serveExec, streamProtocols } from "./stream-session.ts";
import { WebSocket } from "./websocket.ts";

/** Where a server looks. `undefined`: the pod is not of this kubelet. A sentence: there is no such log or container. */
export interface LogProvider {
  findRun(namespace: string, pod: string, container: string): ContainerRun | string | undefined;
  findLog(namespace: string, pod: string, container: string, previous: boolean): Promise<LogFile | string | undefined>;
}

export interface KubeletServerOptions {
  readonly token: string;
  readonly tls: { readonly certPem: string; readonly keyPem: string };
  /** Left out: only the token opens it. */
  readonly clients?: ClientAccess | undefined;
  /** 0 for any free port. */
  readonly port?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bounds?: Partial<FrontBounds>;
}

export interface KubeletServer {
  readonly port: number;
  /** @returns the function that takes the provider away again */
  add(provider: LogProvider): () => void;
  close(): Promise<void>;
}

export const kubeletBounds: FrontBounds = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 75_000,
  maxHeaderBytes: 16 * 1024,
  maxHeaders: 128,
  // Followers and streams hold one each.
  maxConnections: 1_024,
  callRate: { perSecond: 500, burst: 1_000 },
};
/** A follower holds a socket and a file; this bounds both. */
const maxFollowers = 512;
/** Each is a socket and mostly a process. */
const maxStreams = 128;

export async function startKubeletServer(options: KubeletServerOptions): Promise<KubeletServer> {
  const { certPem, keyPem } = options.tls;
  const ca = options.clients?.caPem;
  const client = ca === undefined ? {} : { requestCert: true, rejectUnauthorized: false, ca };
  const routes = new Routes(options);
  const { server, refusalOf } = createHttpFront({
    bounds: { ...kubeletBounds, ...options.bounds },
    tls: { cert: certPem, key: keyPem, ...client },
    logger: options.logger,
    onRequest: (request, response) => {
      routes.answer(request, response).catch((error: unknown) => {
        options.logger.warn("kubelet request failed", { path: request.url, reason: describeError(error) });
        response.destroy();
      });
    },
  });
  server.on("upgrade", (request, socket, head) => {
    const refusal = refusalOf(request);
    if (refusal !== undefined) return refuseUpgrade(socket, refusal.status, refusal.message);
    routes.upgrade(request, socket, head).catch((error: unknown) => {
      options.logger.warn("kubelet stream failed", { path: request.url, reason: describeError(error) });
      socket.destroy();
    });
  });
  server.listen(options.port ?? 0, hostAddress);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    add: (provider) => {
      routes.providers.add(provider);
      return () => void routes.providers.delete(provider);
    },
    close: async () => {
      routes.closeStreams();
      await closeServer(server);
    },
  };
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

class Routes {
  readonly providers = new Set<LogProvider>();
  readonly #options: KubeletServerOptions;
  #followers = 0;
  /** Sockets that were upgraded: the HTTP server knows nothing of them any more. */
  readonly #streams = new Set<Duplex>();

  constructor(options: KubeletServerOptions) {
    this.#options = options;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = readUrl(request);
    if (url === undefined) return send(response, 400, "the path of the request cannot be read");
    if (url.pathname === "/healthz") return send(response, 200, "ok");
    if (!(await this.#isAllowed(request))) return send(response, 401, "Unauthorized");
    if (request.method !== "GET") return send(response, 405, "only GET is served");
    const target = parseLogTarget(url);
    if (target === undefined) return send(response, 404, `no such endpoint: ${url.pathname}`);
    const query = parseLogQuery(url.searchParams, this.#options.clock.now());
    if (typeof query === "string") return send(response, 400, query);
    const log = await this.#findLog(target);
    if (log === undefined)
      return send(response, 404, `pod "${target.pod}" not found in namespace "${target.namespace}"`);
    if (typeof log === "string") return send(response, 400, log);
    if (this.#followers >= maxFollowers) return send(response, 429, `more than ${maxFollowers} log readers; try again`);
    this.#followers += 1;
    await streamLog(response, (signal) => readLog(log, query, signal)).finally(() => {
      this.#followers -= 1;
    });
  }

  /** Streams of a container's processes; what is not possible is answered as plain HTTP. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    const refuse = (status: number, text: string) => refuseUpgrade(socket, status, text);
    const url = readUrl(request);
    if (url === undefined) return refuse(400, "the path of the request cannot be read");
    if (!(await this.#isAllowed(request))) return refuse(401, "Unauthorized");
    const target = parseStreamRequest(url);
    if (target === undefined) return refuse(404, `no such endpoint: ${url.pathname}`);
    const run = this.#findRun(target);
    if (run === undefined) return refuse(404, `pod "${target.pod}" not found in namespace "${target.namespace}"`);
    if (typeof run === "string") return refuse(404, run);
    if (this.#streams.size >= maxStreams) return refuse(429, `more than ${maxStreams} streams; try again`);
    const accepted = WebSocket.accept(request, socket, { head, known: streamProtocols });
    if (typeof accepted === "string") return refuse(400, accepted);
    this.#streams.add(socket);
    const serve = target.kind === "exec" ? serveExec : serveAttach;
    await serve(accepted.connection, target, run).finally(() => this.#streams.delete(socket));
  }

  closeStreams(): void {
    for (const socket of this.#streams) socket.destroy();
  }

  #findRun(target: StreamRequest): ContainerRun | string | undefined {
    for (const provider of this.providers) {
      const found = provider.findRun(target.namespace, target.pod, target.container);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #findLog(target: NonNullable<ReturnType<typeof parseLogTarget>>): Promise<LogFile | string | undefined> {
    for (const provider of this.providers) {
      const found = await provider.findLog(target.namespace, target.pod, target.container, target.previous);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #isAllowed(request: IncomingMessage): Promise<boolean> {
    const socket = request.socket as TLSSocket;
    const { clients } = this.#options;
    if (clients && socket.authorized) {
      const { CN, O } = socket.getPeerCertificate().subject;
      return clients.mayRead([CN ?? []].flat().join(), [O ?? []].flat());
    }
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    // Digests have one length, so that the comparison tells nothing about the token's.
    return given !== undefined && timingSafeEqual(digest(given), digest(this.#options.token));
  }
}

function readUrl({ url = "/" }: IncomingMessage): URL | undefined {
  return URL.canParse(url, "https://kubelet") ? new URL(url, "https://kubelet") : undefined;
}

function refuseUpgrade(socket: Duplex, status: number, text: string): void {
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, "Content-Type: text/plain; charset=utf-8"];
  head.push(`Content-Length: ${Buffer.byteLength(text)}`, "Connection: close", "", text);
  socket.end(head.join("\r\n"));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(text);
}

async function streamLog(
  response: ServerResponse,
  read: (signal: AbortSignal) => AsyncIterable<string>,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the reader went away")));
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
  // A follower of a silent program must see that the stream is open.
  response.flushHeaders();
  try {
    for await (const piece of read(gone.signal)) {
      if (!response.write(piece)) await once(response, "drain", { signal: gone.signal });
    }
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
  response.end();
}
