/**
 * The HTTPS front: one request in, one answer out, whatever happens inside. Bounds the time of headers and the number
 * of sockets; turns every error into a `Status`. Effects: owns the listening socket.
 */

import { type IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { DEFAULT_CIPHERS } from "node:tls";
import { describeError } from "../../../base/errors.ts";
import { createHttpFront, type FrontBounds, type FrontRefusal } from "../../../base/http-front.ts";
import type { Logger } from "../../../base/log.ts";
import { failure, type Status, StatusError } from "../status.ts";
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
  readonly bounds?: Partial<FrontBounds>;
}

/** Users have a share of what is answered at once, in place of a rate. Watches answer for as long as they like. */
export const apiServerBounds: FrontBounds = {
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 120_000,
  maxHeaderBytes: 32 * 1024,
  maxHeaders: 256,
  maxConnections: 4_096,
};
const closeGraceMs = 500;
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
    const onRequest = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    const bounds = { ...apiServerBounds, ...options.bounds };
    const { server, refusalOf } = createHttpFront({ bounds, tls, onRequest, describe, logger: options.logger });
    this.#server = server;
    // A request to upgrade goes the way of all others: whoever serves it takes the socket over, or answers as usual.
    this.#server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket);
      response.once("finish", () => socket.end());
      socket.on("error", () => socket.destroy());
      const refusal = refusalOf(request);
      if (refusal === undefined) void this.#serve(request, response);
      else sendStatus(response, statusOf(refusal));
    });
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

function statusOf({ status, message, retryAfterSeconds }: FrontRefusal): Status {
  const details = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  const reason = status === 503 ? "ServiceUnavailable" : status === 429 ? "TooManyRequests" : "BadRequest";
  return failure(status, reason, message, details).status;
}

const describe = (refusal: FrontRefusal) => ({
  contentType: "application/json",
  body: JSON.stringify(statusOf(refusal)),
});
