/** Reads request bodies: bounded in size and depth; JSON, YAML, or protobuf of a built-in kind. Anything else is a 415. */
import type { IncomingMessage } from "node:http";
import { parseDocument } from "yaml";
import { describeError } from "../../../base/errors.ts";
import { badRequest, tooLarge, unsupportedMediaType } from "../status.ts";
import { decodeProtobuf } from "../wire/decode-protobuf.ts";
import { ProtobufError } from "../wire/protobuf-reader.ts";
import { DepthError, findRepeatedFields } from "./repeated-fields.ts";

export const maxBodyBytes = 3 * 1024 * 1024;

export interface ParsedBody {
  readonly value: unknown;
  /** What strict field validation has to say of the text itself: keys that are there twice. */
  readonly complaints: readonly string[];
}

export function mediaType(request: IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** By events: an async iterator over one or two chunks costs as much as decoding them. */
export function readBytes(request: IncomingMessage): Promise<Buffer> {
  const declared = Number(request.headers["content-length"] ?? 0);
  return new Promise((resolve, reject) => {
    if (declared > maxBodyBytes) throw tooLarge(maxBodyBytes);
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBodyBytes) chunks.push(chunk);
      else reject(tooLarge(maxBodyBytes));
    });
    request.on("end", () => resolve(chunks.length === 1 ? (chunks[0] ?? none) : Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("close", () => reject(new Error("the request ended before its body did")));
  });
}

const none = Buffer.alloc(0);

/** The parsed body, or undefined when there is none. */
export async function readObjectBody(request: IncomingMessage): Promise<unknown> {
  return (await readParsedBody(request))?.value;
}

const objectTypes: Readonly<Record<string, (bytes: Buffer) => ParsedBody>> = {
  "application/json": parseJsonBody,
  "application/yaml": parseYamlBody,
  "application/vnd.kubernetes.protobuf": (bytes) => ({ value: parseProtobuf(bytes), complaints: [] }),
};

export async function readParsedBody(request: IncomingMessage): Promise<ParsedBody | undefined> {
  const parse = objectTypes[mediaType(request) || "application/json"];
  const bytes = await readBytes(request);
  if (parse === undefined && bytes.length > 0) throw unsupportedMediaType(Object.keys(objectTypes));
  return parse === undefined || bytes.length === 0 ? undefined : parse(bytes);
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

export function parseJsonBody(bytes: Buffer): ParsedBody {
  const text = bytes.toString("utf8");
  const value = parseText(text);
  return { value, complaints: repeatedFields(text) };
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(
      `the object provided is unrecognized: couldn't get version/kind; json parse error: ${describeError(error)}`,
    );
  }
}

function repeatedFields(text: string): string[] {
  try {
    return findRepeatedFields(text);
  } catch (error) {
    if (error instanceof DepthError) throw badRequest(error.message);
    throw error;
  }
}

const maxAliases = 100;

/** Keys that are there twice are findings, and the last one counts, as in JSON. */
export function parseYamlBody(bytes: Buffer): ParsedBody {
  const text = bytes.toString("utf8");
  return parsePlainJson(text) ?? parseYaml(text);
}

/** What most clients apply is JSON, whose reader is much the faster. Undefined where it is none, or where YAML has more to say of it. */
function parsePlainJson(text: string): ParsedBody | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return findRepeatedFields(text).length === 0 ? { value, complaints: [] } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DepthError) return undefined;
    throw error;
  }
}

function parseYaml(text: string): ParsedBody {
  const document = parseDocument(text, { uniqueKeys: false, version: "1.2", logLevel: "silent" });
  const [error] = document.errors;
  if (error !== undefined) throw badRequest(`error converting YAML to JSON: yaml: ${error.message}`);
  const value: unknown = document.toJS({ maxAliasCount: maxAliases });
  repeatedFields(JSON.stringify(value) ?? "null");
  return { value, complaints: repeatedKeys(text) };
}

function repeatedKeys(text: string): string[] {
  const { errors } = parseDocument(text, { uniqueKeys: true, logLevel: "silent" });
  const lines = errors
    .filter((error) => error.code === "DUPLICATE_KEY")
    .map((error) => {
      const line = error.linePos?.[0].line ?? 0;
      const key = /^[^:\n]*/.exec(text.slice(error.pos[0]))?.[0].trim() ?? "";
      return `  line ${line}: key ${JSON.stringify(key)} already set in map`;
    });
  return lines.length === 0 ? [] : [["yaml: unmarshal errors:", ...lines].join("\n")];
}
