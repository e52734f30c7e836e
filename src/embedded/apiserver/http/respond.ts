/** Writes responses. Headers that every answer of an API server carries are set here. */
import type { ServerResponse } from "node:http";
import type { Status } from "../status.ts";

export function sendJson(response: ServerResponse, code: number, body: string): void {
  sendText(response, code, body.endsWith("\n") ? body : `${body}\n`, "application/json");
}

export function sendText(response: ServerResponse, code: number, body: string, contentType: string): void {
  response.writeHead(code, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-cache, private",
  });
  response.end(body);
}

export function sendStatus(response: ServerResponse, status: Status): void {
  const retry = status.details?.retryAfterSeconds;
  if (retry !== undefined) response.setHeader("retry-after", String(retry));
  sendJson(response, status.code ?? 200, JSON.stringify(status));
}

export function addWarnings(response: ServerResponse, warnings: readonly string[]): void {
  // RFC 7234 warn-code 299; quotes and backslashes are escaped, control characters cannot be in a header.
  const clean = (text: string) => text.replace(/[\\"]/g, "\\$&").replace(/[^\x20-\x7e]/g, " ");
  for (const text of warnings) response.appendHeader("warning", `299 - "${clean(text)}"`);
}
