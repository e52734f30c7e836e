/**
 * HTTP to one API server over one pool of kept-alive connections (HTTP/1.1: a watch owns its socket, so a reset hurts
 * nothing else). Adds credentials, time-outs, typed errors, metrics, and the retries that are always safe: a request
 * refused before it was executed (429 or 503 with Retry-After, 401 after a rotation) and a GET whose connection broke.
 * Called by clients and informers; knows nothing of kinds.
 */
import { type Dispatcher, Pool } from "undici";
import { type Clock, systemClock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import { KubeApiError } from "./api-error.ts";
import type { KubeConnection } from "./connection.ts";
import { createConnector } from "./connector.ts";
import { type Deadline, startDeadline } from "./deadline.ts";
import type { KubeMetrics } from "./metrics.ts";
import { decideRetry } from "./request-retry.ts";
import { readBody, readLines, timeoutError, toTransportError } from "./response.ts";

export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface KubeRequest {
  readonly method: HttpMethod;
  /** Absolute path on the server, such as `/api/v1/nodes`. */
  readonly path: string;
  readonly query?: Query | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string | undefined;
  /** Over all tries. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface KubeStreamRequest {
  readonly path: string;
  readonly query?: Query | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Until the response's headers; after them, only `stallMs` bounds the stream. */
  readonly timeoutMs?: number | undefined;
  /** The stream fails with KubeStreamStalled after so long without a byte. 0 or left out: never. */
  readonly stallMs?: number | undefined;
}

export interface Transport {
  /** Field manager of applies and updates made through this transport, unless told otherwise. */
  readonly fieldManager: string;
  /**
   * The parsed JSON of the answer; the text itself where the answer is not JSON, as for pod logs.
   * @throws KubeApiError for an answer that is not 2xx; InferiumError KubeUnreachable or KubeTimeout for no answer; the
   * signal's reason when aborted
   */
  request<T = unknown>(request: KubeRequest): Promise<T>;
  /** Lines of a GET that stays open. Leaving the loop, or the signal, closes it. Throws as `request` does. */
  stream(request: KubeStreamRequest): AsyncIterable<string>;
  /** Destroys all connections; whatever is in flight fails. */
  close(): Promise<void>;
}

export interface TransportOptions {
  readonly userAgent?: string;
  readonly fieldManager?: string;
  /** Default time-out of a request, over all its tries. */
  readonly timeoutMs?: number;
  /** Bound on sockets. Each running watch takes one. */
  readonly maxConnections?: number;
  readonly maxRetries?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly metrics?: KubeMetrics | undefined;
}

export function createTransport(connection: KubeConnection, options: TransportOptions = {}): Transport {
  return new PoolTransport(connection, options);
}

/** One try of one call. */
interface Attempt {
  readonly call: KubeRequest;
  readonly name: string;
  readonly deadline: Deadline;
  readonly freshCredentials: boolean;
  readonly stallMs?: number;
}

class PoolTransport implements Transport {
  readonly fieldManager: string;
  readonly #connection: KubeConnection;
  readonly #options: TransportOptions;
  readonly #clock: Clock;
  readonly #pool: Pool;
  readonly #prefix: string;
  readonly #host: string;
  #closed = false;

  constructor(connection: KubeConnection, options: TransportOptions) {
    const server = new URL(connection.server);
    this.fieldManager = options.fieldManager ?? "kube-runtime";
    this.#connection = connection;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#prefix = server.pathname.replace(/\/+$/, "");
    this.#host = server.host;
    this.#pool = new Pool(server.origin, {
      connect: createConnector(connection),
      connections: options.maxConnections ?? 128,
      pipelining: 1,
      keepAliveTimeout: 30_000,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  async request<T>(call: KubeRequest): Promise<T> {
    const timeoutMs = call.timeoutMs ?? this.#options.timeoutMs ?? 30_000;
    const deadline = startDeadline(timeoutMs, call.signal);
    const name = `${call.method} ${call.path}`;
    try {
      return (await this.#sendWithRetries(call, name, deadline)) as T;
    } catch (error) {
      if (call.signal?.aborted) throw call.signal.reason;
      throw deadline.expired() ? timeoutError(name, timeoutMs) : error;
    } finally {
      deadline.release();
    }
  }

  async *stream(request: KubeStreamRequest): AsyncGenerator<string> {
    const timeoutMs = request.timeoutMs ?? this.#options.timeoutMs ?? 30_000;
    const deadline = startDeadline(timeoutMs, request.signal);
    const call: KubeRequest = { method: "GET", path: request.path, query: request.query };
    const name = `GET ${request.path}`;
    try {
      const response = await this.#open(call, name, deadline, request.stallMs ?? 0);
      deadline.disarm();
      yield* readLines(response.body, name);
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      throw deadline.expired() ? timeoutError(name, timeoutMs) : toTransportError(error, name);
    } finally {
      deadline.release();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.destroy();
  }

  async #sendWithRetries(call: KubeRequest, name: string, deadline: Deadline): Promise<unknown> {
    let freshCredentials = false;
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.#send({ call, name, deadline, freshCredentials });
        return await readBody(response, name);
      } catch (cause) {
        const error = toTransportError(cause, name);
        const remainingMs = deadline.aborted || this.#closed ? 0 : deadline.remainingMs();
        const retry = decideRetry(
          { method: call.method, error, attempt, usedFreshCredentials: freshCredentials, remainingMs },
          { maxRetries: this.#options.maxRetries ?? 4, random: this.#options.random },
        );
        if (!retry) throw error;
        freshCredentials ||= retry.freshCredentials;
        this.#options.metrics?.requestRetries.inc({ method: call.method, host: this.#host });
        await this.#clock.sleep(retry.delayMs, deadline.signal);
      }
    }
  }

  /** A stream is opened again only for a 401 with credentials that have rotated; the rest is the reflector's. */
  async #open(call: KubeRequest, name: string, deadline: Deadline, stallMs: number): Promise<Dispatcher.ResponseData> {
    for (const freshCredentials of [false, true]) {
      const response = await this.#send({ call, name, deadline, freshCredentials, stallMs });
      if (response.statusCode === 200) return response;
      try {
        await readBody(response, name);
      } catch (error) {
        if (freshCredentials || !(error instanceof KubeApiError) || error.status !== 401) throw error;
      }
    }
    throw new InferiumError("KubeBadAnswer", `${name} was not answered with a stream (200).`, { disposition: "retry" });
  }

  async #send(attempt: Attempt): Promise<Dispatcher.ResponseData> {
    const { call } = attempt;
    const count = (code: string) =>
      this.#options.metrics?.requests.inc({ method: call.method, code, host: this.#host });
    try {
      const headers = await this.#headers(call, attempt.freshCredentials);
      if (attempt.deadline.aborted) throw attempt.deadline.reason;
      const response = await this.#pool.request({
        method: call.method,
        path: `${this.#prefix}${call.path}${formatQuery(call.query)}`,
        headers,
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal: attempt.deadline.emitter,
        bodyTimeout: attempt.stallMs ?? 0,
      });
      count(String(response.statusCode));
      return response;
    } catch (error) {
      count("<error>");
      throw toTransportError(error, attempt.name);
    }
  }

  async #headers(call: KubeRequest, fresh: boolean): Promise<Record<string, string>> {
    const headers: Record<string, string> = {
      accept: "application/json",
      "user-agent": this.#options.userAgent ?? this.fieldManager,
    };
    if (call.body !== undefined) headers["content-type"] = call.contentType ?? "application/json";
    const authorization = await this.#connection.authorization({ fresh });
    if (authorization !== undefined) headers.authorization = authorization;
    const { impersonateUser } = this.#connection;
    if (impersonateUser !== undefined) headers["impersonate-user"] = impersonateUser;
    return headers;
  }
}

function formatQuery(query: Query | undefined): string {
  if (query === undefined) return "";
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) params.append(name, String(value));
  }
  return params.size === 0 ? "" : `?${params}`;
}
