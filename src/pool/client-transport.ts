/**
 * One call to the pool API over kept-alive connections: JSON there, JSON back, a time-out on each phase and in all, and
 * every failure as an InferiumError whose disposition says whether the same call may succeed later.
 */
import type { Client, Dispatcher } from "undici";
import { InferiumError } from "../base/errors.ts";
import { createConnections } from "./connections.ts";
import { poolTimeHeader } from "./pool-clock.ts";
import { createTrustConnector, type TrustedAuthorities } from "./trust-connector.ts";

export interface TransportOptions {
  /** Base URL, https. */
  readonly url: string;
  /** The authority that certified the pool, or several; the system's where left out. */
  readonly caPem?: TrustedAuthorities | undefined;
  readonly connections?: number;
  readonly maxAnswerBytes?: number;
  /** Told of each answer's time header. */
  readonly onTime?: ((header: string | string[] | undefined) => void) | undefined;
}

export interface PoolCall {
  readonly path: string;
  readonly body: object;
  readonly token?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Transport {
  /** @throws InferiumError PoolUnreachable (retry), or with the code of the server's answer; or the signal's reason */
  post(call: PoolCall): Promise<unknown>;
  close(): Promise<void>;
}

/** @throws InferiumError InvalidPoolUrl */
export function createTransport(options: TransportOptions): Transport {
  const url = parseUrl(options.url);
  const prefix = url.pathname.replace(/\/+$/, "");
  const maxAnswerBytes = options.maxAnswerBytes ?? 64 * 1024 * 1024;
  const connections = createConnections({
    origin: url.origin,
    most: options.connections ?? 16,
    connect: options.caPem === undefined ? { timeout: 10_000 } : createTrustConnector(options.caPem, 10_000),
  });

  async function exchange(connection: Client, call: PoolCall, signal: AbortSignal): Promise<unknown> {
    const response = await connection.request({
      path: `${prefix}${call.path}`,
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
      },
      body: JSON.stringify(call.body),
      signal,
      headersTimeout: call.timeoutMs,
      bodyTimeout: call.timeoutMs,
    });
    options.onTime?.(response.headers[poolTimeHeader]);
    const answer = parseAnswer(await readBounded(response, maxAnswerBytes), response.statusCode);
    if (response.statusCode === 200) return answer;
    throw answerToError(response, answer);
  }

  return {
    async post(call) {
      const bounded = new AbortController();
      const onAbort = () => bounded.abort(call.signal?.reason);
      if (call.signal?.aborted) onAbort();
      call.signal?.addEventListener("abort", onAbort, { once: true });
      const timer = setTimeout(() => bounded.abort(new Error(`no answer in ${call.timeoutMs} ms`)), call.timeoutMs);
      try {
        return await connections.use((connection) => exchange(connection, call, bounded.signal), bounded.signal);
      } catch (error) {
        call.signal?.throwIfAborted();
        if (error instanceof InferiumError) throw error;
        throw unreachable(url.origin, error);
      } finally {
        clearTimeout(timer);
        call.signal?.removeEventListener("abort", onAbort);
      }
    },
    close: () => connections.close(),
  };
}

/** What the system or undici calls a connection that the other side ended, in the handshake or before an answer. */
const endedCodes: readonly unknown[] = ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"];

function unreachable(origin: string, cause: unknown): InferiumError {
  const isEnded = cause instanceof Error && "code" in cause && endedCodes.includes(cause.code);
  const message = isEnded
    ? `The pool at ${origin} ended the connection without an answer: it is restarting, or far beyond its bound of connections; it is asked again later.`
    : `The pool at ${origin} could not be reached; check its address, port and certificate.`;
  return new InferiumError("PoolUnreachable", message, { disposition: "retry", cause });
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" && url.username === "") return url;
  const message = `The pool's URL is "${text.slice(0, 200)}"; expected https://host:port without credentials.`;
  throw new InferiumError("InvalidPoolUrl", message, { disposition: "fatal" });
}

async function readBounded({ body }: Dispatcher.ResponseData, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBytes) throw new InferiumError("AnswerTooLarge", `The pool's answer is over ${maxBytes} bytes.`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A proxy in between may answer with a page; that is an answer too, only not a readable one. */
function parseAnswer(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (status !== 200) return undefined;
    const message = `The pool answered ${status} with ${text.length} characters that are not JSON.`;
    throw new InferiumError("BadAnswer", message, { disposition: "retry", cause });
  }
}

function answerToError({ statusCode, headers }: Dispatcher.ResponseData, answer: unknown): InferiumError {
  const { code, message } = readError(answer) ?? { code: `Http${statusCode}`, message: "without an explanation" };
  const retry = statusCode === 429 || statusCode === 408 || statusCode >= 500;
  const retryAfterMs = readRetryAfter(headers["retry-after"]);
  return new InferiumError(code, `The pool answered ${statusCode} ${code}: ${message}`, {
    disposition: retry ? "retry" : "reject",
    evidence: { status: statusCode, retryAfterMs },
  });
}

function readError(answer: unknown): { code: string; message: string } | undefined {
  if (typeof answer !== "object" || answer === null || !("error" in answer)) return undefined;
  const { error } = answer;
  if (typeof error !== "object" || error === null || !("code" in error) || !("message" in error)) return undefined;
  return { code: String(error.code).slice(0, 64), message: String(error.message).slice(0, 2048) };
}

/** Seconds; a date is not what this server sends. Bounded, so that a wrong one does not stop us for a day. */
function readRetryAfter(value: string | string[] | undefined): number | undefined {
  const seconds = Number(value);
  return value !== undefined && Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 60) * 1000 : undefined;
}
