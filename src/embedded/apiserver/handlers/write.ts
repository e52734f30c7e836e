/** POST, PUT and PATCH of objects and of their status. Each reads the body, then reads and writes the store in one turn. */
import { applyObject } from "../apply/apply-object.ts";
import { mediaType, type ParsedBody, parseJsonBody, parseYamlBody, readBytes, readParsedBody } from "../http/body.ts";
import { type Exchange, writeOptionsOf } from "../http/exchange.ts";
import type { ApiContext, Target, WriteOptions } from "../operations/context.ts";
import { createObject } from "../operations/create.ts";
import { patchObject } from "../operations/patch.ts";
import { replaceObject } from "../operations/replace.ts";
import { parseForce } from "../operations/write-options.ts";
import type { PatchFormat } from "../patch/apply-patch.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { badRequest, failure, type StatusError, unsupportedMediaType } from "../status.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { sendObject } from "./present.ts";

export async function handleCreate(
  context: ApiContext,
  exchange: Exchange,
  kind: ResourceKind,
  namespace: string | undefined,
): Promise<void> {
  const body = requireParsed(await readParsedBody(exchange.request));
  const options = { ...writeOptionsOf(exchange), bodyComplaints: body.complaints };
  const stored = createObject(context, { kind, namespace }, body.value, options);
  await send(context, exchange, kind, { stored, created: true, options });
}

export async function handleReplace(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  const body = requireParsed(await readParsedBody(exchange.request));
  const options = { ...writeOptionsOf(exchange), bodyComplaints: body.complaints };
  const replaced = replaceObject(context, target, body.value, options);
  await send(context, exchange, target.kind, { ...replaced, options });
}

const patchFormats: Readonly<Record<string, PatchFormat>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
};
const applyType = "application/apply-patch+yaml";

export async function handlePatch(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  const type = mediaType(exchange.request);
  const format = patchFormats[type];
  const isApply = type === applyType;
  if (!isApply && (format === undefined || (format === "strategic" && !target.kind.builtin)))
    throw target.kind.builtin ? unsupportedPatch() : unsupportedMediaType(customPatches);
  const bytes = await readBytes(exchange.request);
  const parsed = isApply ? parseYamlBody(bytes) : parseJsonBody(bytes);
  const options = { ...writeOptionsOf(exchange, isApply), bodyComplaints: parsed.complaints };
  if (format === undefined) return handleApply(context, exchange, target, { parsed, options });
  const stored = patchObject(context, target, { format, patch: parsed.value }, options);
  await send(context, exchange, target.kind, { stored, created: false, options });
}

const customPatches = [...Object.keys(patchFormats).filter((type) => patchFormats[type] !== "strategic"), applyType];

/** Of a built-in kind the real server's router refuses other types, in words of its own. */
function unsupportedPatch(): StatusError {
  return failure(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});
}

async function handleApply(
  context: ApiContext,
  exchange: Exchange,
  target: Target,
  { parsed, options }: { readonly parsed: ParsedBody; readonly options: WriteOptions },
): Promise<void> {
  const request = { config: parsed.value, force: parseForce(exchange.query) };
  const result = applyObject(context, target, request, options);
  await send(context, exchange, target.kind, { ...result, options });
}

export function requireBody(body: unknown): unknown {
  if (body === undefined) throw badRequest("the request has no body");
  return body;
}

function requireParsed(body: ParsedBody | undefined): ParsedBody {
  if (body === undefined) throw badRequest("the request has no body");
  return body;
}

interface Written {
  readonly stored: StoredObject;
  readonly created: boolean;
  readonly options: WriteOptions;
}

async function send(context: ApiContext, exchange: Exchange, kind: ResourceKind, written: Written): Promise<void> {
  await context.store.flushed();
  const { stored, created, options } = written;
  const code = created ? 201 : 200;
  sendObject(exchange, kind, stored, { code, nowMs: context.clock.now(), warnings: options.warnings });
}
