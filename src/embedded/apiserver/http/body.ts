/** Reads request bodies: bounded in size; JSON, YAML, or protobuf of a built-in kind. Anything else is a 415. */
import type { IncomingMessage } from "node:http";
import { parse as parseYaml } from "yaml";
import { describeError } from "../../../base/errors.ts";
import { badRequest, tooLarge, unsupportedMediaType } from "../status.ts";
import { decodeProtobuf } from "../wire/decode-protobuf.ts";
import { ProtobufError } from "../wire/protobuf-reader.ts";

export const maxBodyBytes = 3 * 1024 * 1024;

export function mediaType(request: IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

export async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > maxBodyBytes) throw tooLarge(maxBodyBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > maxBodyBytes) throw tooLarge(maxBodyBytes);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** The parsed body, or undefined when there is none. */
export async function readObjectBody(request: IncomingMessage): Promise<unknown> {
  const type = mediaType(request);
  const bytes = await readBytes(request);
  if (bytes.length === 0) return undefined;
  if (type === "" || type === "application/json") return parseJson(bytes);
  if (type === "application/yaml") return parseYamlText(bytes);
  if (type === "application/vnd.kubernetes.protobuf") return parseProtobuf(bytes);
  throw unsupportedMediaType(["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]);
}

/** Bodies only: answers are JSON, which every client that sends protobuf accepts. */
function parseProtobuf(bytes: Buffer): unknown {
  try {
    return decodeProtobuf(bytes);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw badRequest(`the protobuf body cannot be read: ${error.message}`);
  }
}

export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw badRequest(`the body of the request is not JSON: ${describeError(error)}`);
  }
}

export function parseYamlText(bytes: Buffer): unknown {
  try {
    return parseYaml(bytes.toString("utf8"));
  } catch (error) {
    throw badRequest(`the body of the request is not YAML: ${describeError(error)}`);
  }
}
