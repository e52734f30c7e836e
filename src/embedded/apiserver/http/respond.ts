/**
 * Writes responses, indented or compressed where the request asks for it. Headers that every answer of an API server
 * carries are set here.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, gzip } from "node:zlib";
import { stringify } from "yaml";
import type { Status } from "../status.ts";

const yamlAnswers = new WeakSet<ServerResponse>();

/** From here on what is sent as JSON goes out as YAML. */
export function answerInYaml(response: ServerResponse): void {
  yamlAnswers.add(response);
}

/** JSON that is made while it is sent, at the client's pace. Short answers, and those in other forms, go out whole. */
export async function sendJsonPieces(response: ServerResponse, code: number, pieces: Iterator<string>): Promise<void> {
  const first = pieces.next();
  const second = first.done === true ? first : pieces.next();
  const isWhole = second.done === true;
  if (isWhole || yamlAnswers.has(response) || wantsIndent(response.req) || takesGzip(response.req)) {
    const texts = [first, second].filter(({ done }) => done !== true).map(({ value }) => value as string);
    for (let next = pieces.next(); next.done !== true; next = pieces.next()) texts.push(next.value);
    sendJson(response, code, texts.join(""));
    return;
  }
  response.writeHead(code, { "content-type": "application/json", "cache-control": "no-cache, private" });
  response.write(Buffer.from(first.value));
  for (let next: IteratorResult<string> = second; next.done !== true; next = pieces.next()) {
    if (!response.write(Buffer.from(next.value)) && !(await hasDrained(response))) return;
  }
  response.end("\n");
}

/** @returns false where the client went away instead */
function hasDrained(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve(false);
    const settle = (drained: boolean) => {
      response.off("drain", onDrain);
      response.off("close", onClose);
      resolve(drained);
    };
    const onDrain = () => settle(true);
    const onClose = () => settle(false);
    response.on("drain", onDrain);
    response.on("close", onClose);
  });
}

export function sendJson(response: ServerResponse, code: number, body: string): void {
  if (yamlAnswers.has(response)) {
    sendText(response, code, toYaml(body), "application/yaml");
    return;
  }
  const text = wantsIndent(response.req) ? JSON.stringify(JSON.parse(body), null, 2) : body;
  sendText(response, code, text.endsWith("\n") ? text : `${text}\n`, "application/json");
}

/** Keys in alphabetical order and long lines unbroken, as the real server writes it. */
function toYaml(json: string): string {
  return stringify(JSON.parse(json), { sortMapEntries: true, lineWidth: 0, singleQuote: false, version: "1.1" });
}

export function sendText(response: ServerResponse, code: number, body: string, contentType: string): void {
  const bytes = Buffer.from(body);
  const headers = { "content-type": contentType, "cache-control": "no-cache, private" };
  if (bytes.length <= gzipThresholdBytes || !takesGzip(response.req)) {
    response.writeHead(code, { ...headers, "content-length": bytes.length });
    response.end(bytes);
    return;
  }
  gzip(bytes, { level: constants.Z_BEST_SPEED }, (error, packed) => {
    if (error !== null) return void response.destroy(error);
    const size = { "content-length": packed.length };
    response.writeHead(code, { ...headers, ...size, "content-encoding": "gzip", vary: "Accept-Encoding" });
    response.end(packed);
  });
}

/** Below this, compressing costs more than it saves. */
const gzipThresholdBytes = 128 * 1024;

function takesGzip(request: IncomingMessage): boolean {
  const accepted = String(request.headers["accept-encoding"] ?? "").split(",");
  return accepted.some((encoding) => encoding.trim() === "gzip");
}

/** Asked for in so many words, or by a program that people look at. */
function wantsIndent(request: IncomingMessage): boolean {
  const asked = /[?&]pretty=([^&]+)/.exec(request.url ?? "")?.[1];
  if (asked !== undefined) return /^(1|t|true)$/i.test(asked);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(request.headers["user-agent"] ?? "");
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
