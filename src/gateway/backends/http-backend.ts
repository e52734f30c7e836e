/**
 * One server that an agent's replica is, over kept-alive connections. Failures are named by whether anything can have been
 * computed: what was not sent may be sent to another replica. Effects: network.
 */
import { type Dispatcher, Pool } from "undici";
import { describeError, InferiumError } from "../../base/errors.ts";
import { CallRefusal } from "../call-refusal.ts";
import { unreachable } from "./lanes.ts";

export interface HttpBackendOptions {
  readonly baseUrl: string;
  readonly connections: number;
  /** Longest silence, before the answer and within it. */
  readonly silenceMs: number;
  readonly maxAnswerBytes: number;
}

export interface HttpCall {
  readonly method: "GET" | "POST";
  /** Below the base URL, with its leading slash. */
  readonly path: string;
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export type HttpAnswer = Dispatcher.ResponseData;

export interface HttpBackend {
  /** The body is the caller's to read or to destroy. @throws InferiumError BackendUnreachable, CallRefusal 502; the signal's reason */
  send(call: HttpCall): Promise<HttpAnswer>;
  /** Bounded. @throws as send */
  readWhole(answer: HttpAnswer): Promise<Buffer>;
  /** When the calls that are on have ended. */
  close(): Promise<void>;
}

/** Nothing of the request can have been worked on. */
const unsent = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "UND_ERR_CONNECT_TIMEOUT"]);

/** @throws InferiumError InvalidBackend */
export function createHttpBackend(options: HttpBackendOptions): HttpBackend {
  const { baseUrl, connections, silenceMs, maxAnswerBytes } = options;
  if (!URL.canParse(baseUrl) || !/^https?:/.test(baseUrl)) {
    throw new InferiumError(
      "InvalidBackend",
      `A backend is "${baseUrl.slice(0, 200)}"; expected an http:// or https:// URL.`,
    );
  }
  const url = new URL(baseUrl);
  const prefix = url.pathname.replace(/\/+$/, "");
  const pool = new Pool(url.origin, {
    connections,
    pipelining: 1,
    connect: { timeout: Math.min(5_000, silenceMs) },
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
    keepAliveTimeout: 20_000,
  });

  async function send({ method, path, body, headers, signal }: HttpCall): Promise<HttpAnswer> {
    try {
      return await pool.request({
        method,
        path: `${prefix}${path}`,
        body: body ?? null,
        headers: headers ?? {},
        signal,
      });
    } catch (error) {
      throw translate(error, signal);
    }
  }

  async function readWhole(answer: HttpAnswer): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of answer.body) {
        chunks.push(chunk);
        size += chunk.length;
        if (size > maxAnswerBytes) throw failed(`answered more than ${maxAnswerBytes} bytes`);
      }
    } catch (error) {
      throw error instanceof InferiumError ? error : failed(`broke off its answer (${describeError(error)})`);
    }
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  }

  return { send, readWhole, close: () => pool.close() };
}

function translate(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (unsent.has(code)) {
    const message = `The agent's replica cannot be reached (${code}); try again.`;
    return new InferiumError(unreachable, message, { disposition: "retry", cause: error });
  }
  return failed(`did not answer (${code || describeError(error)})`);
}

export function failed(what: string): CallRefusal {
  return new CallRefusal(502, "BackendFailed", `The agent's replica ${what}.`);
}
