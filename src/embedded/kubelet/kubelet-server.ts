/**
 * The HTTPS endpoint of process kubelets: container logs and health. One server may serve all the kubelets of a process.
 * A caller proves itself by the bearer token, or by a client certificate whose holder the cluster allows (which is how a
 * real API server comes). Effects: one listening socket on loopback.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ClientAccess } from "./client-access.ts";
import type { LogFile } from "./log-file.ts";
import { readLog } from "./log-reader.ts";
import { parseLogQuery, parseLogTarget } from "./log-request.ts";
import { hostAddress } from "./node-object.ts";

/** Where a server looks for logs. `undefined`: the pod is not of this kubelet. A sentence: there is no such log. */
export interface LogProvider {
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
}

export interface KubeletServer {
  readonly port: number;
  /** @returns the function that takes the provider away again */
  add(provider: LogProvider): () => void;
  close(): Promise<void>;
}

/** A follower holds a socket and a file; this bounds both. */
const maxFollowers = 512;

export async function startKubeletServer(options: KubeletServerOptions): Promise<KubeletServer> {
  const { certPem, keyPem } = options.tls;
  const ca = options.clients?.caPem;
  const client = ca === undefined ? {} : { requestCert: true, rejectUnauthorized: false, ca };
  const server = createServer({ cert: certPem, key: keyPem, ...client });
  const routes = new Routes(options);
  server.on("request", (request, response) => {
    routes.answer(request, response).catch((error: unknown) => {
      options.logger.warn("kubelet request failed", { path: request.url, reason: describeError(error) });
      response.destroy();
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
    close: () => closeServer(server),
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

  constructor(options: KubeletServerOptions) {
    this.#options = options;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "https://kubelet");
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
