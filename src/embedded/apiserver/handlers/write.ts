/** POST, PUT and PATCH of objects and of their status. Each reads the body, then reads and writes the store in one turn. */
import { applyObject } from "../apply/apply-object.ts";
import { mediaType, parseJson, parseYamlText, readBytes, readObjectBody } from "../http/body.ts";
import { type Exchange, writeOptionsOf } from "../http/exchange.ts";
import type { JsonObject } from "../json-value.ts";
import type { ApiContext, Target, WriteOptions } from "../operations/context.ts";
import { createObject } from "../operations/create.ts";
import { decodeBody } from "../operations/decode.ts";
import { readObject } from "../operations/read.ts";
import { updateObject } from "../operations/update.ts";
import { applyPatch, type PatchFormat } from "../patch/apply-patch.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { badRequest, unsupportedMediaType } from "../status.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { sendObject } from "./present.ts";

export async function handleCreate(
  context: ApiContext,
  exchange: Exchange,
  kind: ResourceKind,
  namespace: string | undefined,
): Promise<void> {
  const options = writeOptionsOf(exchange);
  const body = await readObjectBody(exchange.request);
  const created = createObject(context, { kind, namespace }, requireBody(body), options);
  await send(context, exchange, kind, { stored: created, code: 201, options });
}

export async function handleReplace(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  const options = writeOptionsOf(exchange);
  const body = requireBody(await readObjectBody(exchange.request));
  const candidate = decodeBody(body, target.kind, options);
  const old = readObject(context, target);
  const stored = updateObject(context, target, { old, candidate }, options);
  await send(context, exchange, target.kind, { stored, code: 200, options });
}

const patchFormats: Readonly<Record<string, PatchFormat>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
};
const applyTypes = ["application/apply-patch+yaml", "application/apply-patch+json"];

export async function handlePatch(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  const type = mediaType(exchange.request);
  const bytes = await readBytes(exchange.request);
  if (applyTypes.includes(type)) return handleApply(context, exchange, target, parseYamlText(bytes));
  const format = patchFormats[type];
  if (format === undefined || (format === "strategic" && !target.kind.builtin))
    throw unsupportedMediaType(acceptedPatches(target.kind));
  const options = writeOptionsOf(exchange);
  const stored = patchObject(context, target, { format, patch: parseJson(bytes) }, options);
  await send(context, exchange, target.kind, { stored, code: 200, options });
}

function acceptedPatches(kind: ResourceKind): string[] {
  const formats = Object.keys(patchFormats).filter((type) => kind.builtin || patchFormats[type] !== "strategic");
  return [...formats, ...applyTypes];
}

export function patchObject(
  context: ApiContext,
  target: Target,
  change: { readonly format: PatchFormat; readonly patch: unknown },
  options: WriteOptions,
): StoredObject {
  const old = readObject(context, target);
  const shown = JSON.parse(old.json(target.kind)) as JsonObject;
  const patched = applyPatch(change.format, shown, change.patch, target.kind.schema);
  const candidate = decodeBody(patched, target.kind, options);
  return updateObject(context, target, { old, candidate }, options);
}

async function handleApply(context: ApiContext, exchange: Exchange, target: Target, body: unknown): Promise<void> {
  if (exchange.query.get("fieldManager") === null) {
    throw badRequest("PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required for apply patch");
  }
  const options = writeOptionsOf(exchange);
  const force = exchange.query.get("force") === "true";
  const result = applyObject(context, target, { config: requireBody(body), force }, options);
  await send(context, exchange, target.kind, { stored: result.stored, code: result.created ? 201 : 200, options });
}

export function requireBody(body: unknown): unknown {
  if (body === undefined) throw badRequest("the request has no body");
  return body;
}

interface Written {
  readonly stored: StoredObject;
  readonly code: number;
  readonly options: WriteOptions;
}

async function send(context: ApiContext, exchange: Exchange, kind: ResourceKind, written: Written): Promise<void> {
  await context.store.flushed();
  const { stored, code, options } = written;
  sendObject(exchange, kind, stored, { code, nowMs: context.clock.now(), warnings: options.warnings });
}
