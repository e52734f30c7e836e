/**
 * The HTTPS front: one request in, one answer out, whatever happens inside. Bounds the time of headers and the number
 * of sockets; turns every error into a `Status`. Effects: owns the listening socket.
 */

import { type IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { DEFAULT_CIPHERS } from "node:tls";
import { describeError } from "../../../base/errors.ts";
import type { Logger } from "../../../base/log.ts";
import { failure, StatusError } from "../status.ts";
import { RequestLife } from "./request-life.ts";
import { sendStatus } from "./respond.ts";

export type RequestHandler = (request: IncomingMessage, response: ServerResponse, life: RequestLife) => Promise<void>;

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly certPem: string;
  readonly keyPem: string;
  /** Authority of client certificates. Showing one is never required. */
  readonly clientCaPem: string;
  readonly logger: Logger;
  readonly handle: RequestHandler;
  readonly patience?: Partial<Patience>;
}

/** With clients that send slowly. */
export interface Patience {
  /** For the handshake, and again for the headers. */
  readonly headersMs: number;
  /** For the whole request. Watches answer for as long as they like. */
  readonly requestMs: number;
  /** How late such a connection may be ended. */
  readonly checkingMs: number;
}

const usualPatience: Patience = { headersMs: 15_000, requestMs: 60_000, checkingMs: 2_000 };
const keepAliveTimeoutMs = 120_000;
const closeGraceMs = 500;
const maxHeaderBytes = 32 * 1024;
/** As servers in Go prefer it where the processor has AES: the shorter key, whose rounds are fewer. */
const ciphers = `TLS_AES_128_GCM_SHA256:${DEFAULT_CIPHERS}`;

export class HttpsListener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #inFlight = new Set<RequestLife>();
  /** Nothing is in flight any more, and nothing new is taken. */
  readonly #answered = Promise.withResolvers<void>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    const clients = { ca: options.clientCaPem, requestCert: true, rejectUnauthorized: false };
    const tls = { cert: options.certPem, key: options.keyPem, ciphers, ALPNProtocols: ["http/1.1"], ...clients };
    const patience = { ...usualPatience, ...options.patience };
    const bounds = { maxHeaderSize: maxHeaderBytes, connectionsCheckingInterval: patience.checkingMs };
    this.#server = createServer(
      { ...tls, ...bounds, handshakeTimeout: patience.headersMs },
      (request, response) => void this.#serve(request, response),
    );
    // A request to upgrade goes the way of all others: whoever serves it takes the socket over, or answers as usual.
    this.#server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket);
      response.once("finish", () => socket.end());
      socket.on("error", () => socket.destroy());
      void this.#serve(request, response);
    });
    this.#server.headersTimeout = patience.headersMs;
    this.#server.keepAliveTimeout = keepAliveTimeoutMs;
    this.#server.requestTimeout = patience.requestMs;
  }

  /** @returns the port that it listens on */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every stream and closes every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const life of this.#inFlight) life.end("the server is closing");
    // Not before: a connection counts as idle when its answer has ended, which may still be on its way.
    await this.#untilAnswered();
    this.#server.closeAllConnections();
    await closed;
  }

  /** A watch that ends in the middle of its last line looks like a fault to its client; whoever is slower than this is cut off. */
  async #untilAnswered(): Promise<void> {
    if (this.#inFlight.size === 0) return;
    const timer = setTimeout(() => this.#answered.resolve(), closeGraceMs);
    await this.#answered.promise;
    clearTimeout(timer);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const life = new RequestLife();
    this.#inFlight.add(life);
    response.on("close", () => {
      this.#inFlight.delete(life);
      if (this.#inFlight.size === 0 && !this.#server.listening) this.#answered.resolve();
      life.end("the client is gone");
    });
    try {
      await this.#options.handle(request, response, life);
    } catch (error) {
      this.#answerError(request, response, error);
    }
  }

  #answerError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (error instanceof StatusError && !response.headersSent) {
      // A body that was not read would be taken for the next request.
      if (!request.complete) response.setHeader("connection", "close");
      sendStatus(response, error.status);
      return;
    }
    if (response.headersSent || (request.destroyed && !request.complete)) {
      response.destroy();
      return;
    }
    const stack = error instanceof Error ? error.stack : undefined;
    this.#options.logger.error("request failed", {
      method: request.method,
      path: request.url,
      error: describeError(error),
      stack,
    });
    sendStatus(response, failure(500, "InternalError", `Internal error occurred: ${describeError(error)}`).status);
  }
}
