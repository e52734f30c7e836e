/** Answers in the forms of both protocols. Effects: the response. */
import type { ServerResponse } from "node:http";
import { type CallRefusal, retryAfterOf } from "../call-refusal.ts";

type Headers = Readonly<Record<string, string | number>>;

export function sendJson(response: ServerResponse, status: number, value: object, headers: Headers = {}): void {
  sendBytes(response, status, Buffer.from(JSON.stringify(value), "utf8"), {
    "content-type": "application/json",
    ...headers,
  });
}

export function sendBytes(response: ServerResponse, status: number, body: Buffer, headers: Headers): void {
  if (response.destroyed) return;
  response.writeHead(status, { ...headers, "content-length": body.length });
  response.end(body);
}

/** The Open Inference Protocol's form of an error. */
export function sendOipError(response: ServerResponse, refusal: CallRefusal): void {
  sendJson(response, refusal.status, { error: refusal.message }, retryHeaders(refusal));
}

/** OpenAI's form of an error; clients branch on `type` and `code`. */
export function sendOpenAiError(response: ServerResponse, refusal: CallRefusal): void {
  const { type, code } = describeForOpenAi(refusal);
  const error = { message: refusal.message, type, param: null, code };
  sendJson(response, refusal.status, { error }, retryHeaders(refusal));
}

function describeForOpenAi({ status, code }: CallRefusal): { type: string; code: string } {
  if (status === 401) return { type: "authentication_error", code: "invalid_api_key" };
  if (status === 402) return { type: "insufficient_quota", code: "insufficient_quota" };
  if (status === 404) return { type: "invalid_request_error", code: "model_not_found" };
  if (status === 429) return { type: "rate_limit_exceeded", code: "rate_limit_exceeded" };
  return { type: status < 500 ? "invalid_request_error" : "server_error", code: toSnakeCase(code) };
}

const toSnakeCase = (word: string) => word.replace(/(?<=.)[A-Z]/g, "_$&").toLowerCase();

function retryHeaders(refusal: CallRefusal): Headers {
  const seconds = retryAfterOf(refusal);
  return seconds === undefined ? {} : { "retry-after": seconds };
}
