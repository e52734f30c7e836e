/**
 * Turns what came over the wire into values and typed errors: bodies, streams of lines, and the failures of sockets.
 * Used by the transport only.
 */
import type { Dispatcher } from "undici";
import { describeError, InferiumError } from "../base/errors.ts";
import { KubeApiError, type KubeStatus, parseRetryAfterMs } from "./api-error.ts";

/** Far above the 1.5 MiB that an API server stores in one object; a longer line is not a watch event. */
const maxLineLength = 32 * 1024 * 1024;

type Headers = Dispatcher.ResponseData["headers"];

/** JSON where the content type says so, else the text. @throws KubeApiError unless 2xx */
export async function readBody(response: Dispatcher.ResponseData, request: string): Promise<unknown> {
  const text = await response.body.text();
  const body = isJson(response.headers) ? parseJson(text, request) : text;
  if (response.statusCode >= 200 && response.statusCode < 300) return body;
  throw toApiError(response, body as KubeStatus | string, request);
}

function toApiError(response: Dispatcher.ResponseData, body: KubeStatus | string, request: string): KubeApiError {
  const status = typeof body === "string" ? undefined : body;
  const retryAfterMs = parseRetryAfterMs(firstHeader(response.headers, "retry-after"), status);
  return new KubeApiError({ request, status: response.statusCode, body, retryAfterMs });
}

function isJson(headers: Headers): boolean {
  return firstHeader(headers, "content-type")?.includes("json") ?? false;
}

function firstHeader(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

export function parseJson(text: string, request: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `${request} was answered with what is not JSON: ${text.slice(0, 200)}`;
    throw new InferiumError("KubeBadAnswer", message, { disposition: "retry", cause });
  }
}

/** Lines without their newline; a last line without one is given too. Leaving the loop destroys the connection. */
export async function* readLines(body: Dispatcher.ResponseData["body"], request: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    const known = rest.length;
    rest += decoder.decode(chunk, { stream: true });
    let start = 0;
    // What was known held no newline: a long line that comes in many pieces is not searched again for each of them.
    for (let end = rest.indexOf("\n", known); end >= 0; end = rest.indexOf("\n", start)) {
      if (end > start) yield rest.slice(start, end);
      start = end + 1;
    }
    rest = rest.slice(start);
    if (rest.length > maxLineLength) {
      const message = `${request} sent a line of more than ${maxLineLength} characters; it is not a Kubernetes stream.`;
      throw new InferiumError("KubeBadAnswer", message, { disposition: "retry" });
    }
  }
  if (rest !== "") yield rest;
}

/** Names the failure of a call that got no answer, or whose stream broke. */
export function toTransportError(error: unknown, request: string): InferiumError {
  if (error instanceof InferiumError) return error;
  const stalled = error instanceof Error && "code" in error && error.code === "UND_ERR_BODY_TIMEOUT";
  const code = stalled ? "KubeStreamStalled" : "KubeUnreachable";
  const problem = stalled ? "stopped sending" : "got no answer";
  const message = `${request} ${problem}: ${describeError(error)}. Check the server and the network; it may be retried.`;
  return new InferiumError(code, message, { disposition: "retry", cause: error });
}

export function timeoutError(request: string, timeoutMs: number): InferiumError {
  const message = `${request} got no answer within ${timeoutMs} ms.`;
  return new InferiumError("KubeTimeout", message, { disposition: "retry", evidence: { timeoutMs } });
}
