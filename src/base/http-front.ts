/**
 * The front of every HTTP server of ours: what slow, many and talkative clients may cost is bounded here, in one way. Who comes when
 * as many connections as may be are open is told so, with when to come again, and let go; who calls too often or sends too many
 * headers is told so too. Called by whoever listens (docs/resilience.md lists them). Effects: log lines, answers to what is refused.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions, type Server as TlsServer } from "node:https";
import type { Socket } from "node:net";
import { systemClock } from "./clock.ts";
import type { Logger } from "./log.ts";
import { createRateLimiter, type Rate } from "./rate-limit.ts";

export interface FrontBounds {
  /** Until the headers are in; for TLS until the handshake is done, and then again. */
  readonly headersTimeoutMs: number;
  /** Until the whole request is in. */
  readonly requestTimeoutMs: number;
  /** Between two calls of one connection. */
  readonly idleTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  readonly maxConnections: number;
  /** Calls of one remote address; left out where the caller has another identity. */
  readonly callRate?: Rate | undefined;
}

export interface FrontRefusal {
  readonly status: 429 | 431 | 503;
  readonly code: "TooManyCalls" | "TooManyHeaders" | "TooManyConnections";
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

export interface FrontOptions {
  readonly bounds: FrontBounds;
  /** Left out: plain HTTP. */
  readonly tls?: ServerOptions | undefined;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** The refusal in the words of the server's protocol; plain text where left out. */
  readonly describe?: (refusal: FrontRefusal) => { readonly contentType: string; readonly body: string };
  /** For each connection that is turned away, answered or not. */
  readonly onTurnedAway?: () => void;
  readonly logger?: Logger | undefined;
}

/** So many beyond the bound are answered at a time; who comes beyond them too is dropped without a word. */
const answeredAtOnce = 64;
const answerWithinMs = 5_000;
const comeAgainSeconds = 5;
const logEveryMs = 10_000;

export interface HttpFront<S extends Server = Server> {
  readonly server: S;
  /** For upgrades, which do not come by `onRequest`. */
  refusalOf(request: IncomingMessage): FrontRefusal | undefined;
}

export function createHttpFront(options: FrontOptions & { readonly tls: ServerOptions }): HttpFront<TlsServer>;
export function createHttpFront(options: FrontOptions): HttpFront;
export function createHttpFront(options: FrontOptions): HttpFront {
  const { bounds, tls } = options;
  const settings = {
    headersTimeout: bounds.headersTimeoutMs,
    requestTimeout: bounds.requestTimeoutMs,
    connectionsCheckingInterval: Math.max(25, Math.min(1_000, bounds.requestTimeoutMs, bounds.headersTimeoutMs)),
    keepAliveTimeout: bounds.idleTimeoutMs,
    maxHeaderSize: bounds.maxHeaderBytes,
    // Small answers go out at once.
    noDelay: true,
  };
  const surplus = boundConnections(options);
  const refusalOf = createRefusals(bounds, surplus.has);
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const refusal = refusalOf(request);
    if (refusal === undefined) options.onRequest(request, response);
    else sendRefusal(options, refusal, response);
  };
  const server = tls
    ? createTlsServer({ ...settings, handshakeTimeout: bounds.headersTimeoutMs, ...tls }, onRequest)
    : createServer(settings, onRequest);
  surplus.watch(server);
  return { server, refusalOf };
}

function createRefusals(bounds: FrontBounds, isSurplus: (socket: Socket) => boolean) {
  const { maxConnections, maxHeaders, callRate } = bounds;
  const limiter = callRate && createRateLimiter(callRate, systemClock);
  return ({ socket, rawHeaders }: IncomingMessage): FrontRefusal | undefined => {
    if (isSurplus(socket)) {
      const message = `${maxConnections} connections are open, the most that may be; come again in ${comeAgainSeconds} s.`;
      return { status: 503, code: "TooManyConnections", message, retryAfterSeconds: comeAgainSeconds };
    }
    if (rawHeaders.length > 2 * maxHeaders) {
      const message = `The request has ${rawHeaders.length / 2} headers; at most ${maxHeaders} are taken.`;
      return { status: 431, code: "TooManyHeaders", message };
    }
    const waitMs = limiter?.take(socket.remoteAddress ?? "gone") ?? 0;
    if (waitMs === 0) return undefined;
    const message = `Too many calls of this address; wait ${waitMs} ms.`;
    return { status: 429, code: "TooManyCalls", message, retryAfterSeconds: Math.ceil(waitMs / 1000) };
  };
}

function sendRefusal({ describe }: FrontOptions, refusal: FrontRefusal, response: ServerResponse): void {
  const { retryAfterSeconds, message } = refusal;
  const { contentType, body } = describe?.(refusal) ?? {
    contentType: "text/plain; charset=utf-8",
    body: `${message}\n`,
  };
  if (retryAfterSeconds !== undefined) response.setHeader("retry-after", String(retryAfterSeconds));
  // Also for who only calls too often: what its body was is not read, and would be taken for the next call.
  response.writeHead(refusal.status, { "content-type": contentType, connection: "close" }).end(body);
}

function boundConnections({ bounds, tls, logger, onTurnedAway }: FrontOptions) {
  const { maxConnections } = bounds;
  const surplus = new WeakSet<Socket>();
  let admitted = 0;
  let turnedAway = 0;
  let saidAt = Number.NEGATIVE_INFINITY;
  const note = () => {
    turnedAway += 1;
    onTurnedAway?.();
    if (performance.now() - saidAt < logEveryMs) return;
    logger?.warn("connections are turned away", { most: maxConnections, turnedAway });
    saidAt = performance.now();
    turnedAway = 0;
  };
  const onOpen = (socket: Socket) => {
    if (admitted < maxConnections) {
      admitted += 1;
      socket.once("close", () => {
        admitted -= 1;
      });
      return;
    }
    surplus.add(socket);
    note();
    const timer = setTimeout(() => socket.destroy(), answerWithinMs);
    socket.once("close", () => clearTimeout(timer));
  };
  return {
    has: (socket: Socket) => surplus.has(socket),
    watch(server: Server) {
      server.maxConnections = maxConnections + answeredAtOnce;
      server.on(tls ? "secureConnection" : "connection", onOpen);
      server.on("drop", note);
    },
  };
}
