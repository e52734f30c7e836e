/** The scale subresource: `autoscaling/v1` Scale as a view of the replicas fields that a kind declares. */

import { applyScale } from "../apply/apply-scale.ts";
import { setReplicas } from "../apply/set-replicas.ts";
import { mediaType, parseJsonBody, parseYamlBody, readBytes, readObjectBody } from "../http/body.ts";
import { type Exchange, writeOptionsOf } from "../http/exchange.ts";
import { addWarnings, sendJson } from "../http/respond.ts";
import { asObject, isObject, type JsonObject, showValue, valueAt } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { ApiContext, Target, WriteOptions } from "../operations/context.ts";
import { readObject } from "../operations/read.ts";
import { updateObject } from "../operations/update.ts";
import { parseForce } from "../operations/write-options.ts";
import { applyPatch, type PatchFormat } from "../patch/apply-patch.ts";
import { formatLabels, formatSelector } from "../printing/common-columns.ts";
import type { ScalePaths } from "../registry/kind.ts";
import {
  badRequest,
  cause,
  failure,
  invalid,
  methodNotAllowed,
  pathNotFound,
  unsupportedMediaType,
} from "../status.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { requireBody } from "./write.ts";

export async function handleScale(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  const paths = target.kind.scale;
  if (paths === undefined) throw pathNotFound();
  const serve = { GET: readScale, PUT: replaceScale, PATCH: patchScale }[exchange.request.method ?? ""];
  if (serve === undefined) throw methodNotAllowed();
  const stored = await serve({ context, exchange, target, paths });
  await context.store.flushed();
  sendJson(exchange.response, 200, JSON.stringify(scaleOf(stored.object, paths)));
}

interface ScaleRequest {
  readonly context: ApiContext;
  readonly exchange: Exchange;
  readonly target: Target;
  readonly paths: ScalePaths;
}

async function readScale({ context, target, paths }: ScaleRequest): Promise<StoredObject> {
  const stored = readObject(context, target);
  // The Go types of built-in kinds have replicas always.
  if (!target.kind.builtin && valueAt(stored.object, paths.spec) === undefined) {
    const why = `the spec replicas field ".${paths.spec.join(".")}" does not exist`;
    throw failure(500, "InternalError", `Internal error occurred: ${why}`);
  }
  return stored;
}

async function replaceScale(request: ScaleRequest): Promise<StoredObject> {
  const { context, exchange, target } = request;
  const options = writeOptionsOf(exchange);
  const scale = requireBody(await readObjectBody(exchange.request));
  return writeScale(request, readObject(context, target), scale, options);
}

const patchFormats: Readonly<Record<string, PatchFormat>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
};
const applyType = "application/apply-patch+yaml";

async function patchScale(request: ScaleRequest): Promise<StoredObject> {
  const { context, exchange, target, paths } = request;
  const type = mediaType(exchange.request);
  const format = patchFormats[type];
  const isApply = type === applyType;
  if (format === undefined && !isApply) throw unsupportedMediaType([...Object.keys(patchFormats), applyType]);
  const bytes = await readBytes(exchange.request);
  const options = writeOptionsOf(exchange, isApply);
  if (format === undefined) {
    const scale = checkScale(parseYamlBody(bytes).value, target);
    const replicas = isObject(scale.spec) && scale.spec.replicas !== undefined ? replicasOf(scale, target) : undefined;
    return applyScale(context, target, { paths, replicas, force: parseForce(exchange.query) }, options);
  }
  const old = readObject(context, target);
  const patched = applyPatch(format, scaleOf(old.object, paths), parseJsonBody(bytes).value, {});
  return writeScale(request, old, patched, options, true);
}

function writeScale(
  { context, exchange, target, paths }: ScaleRequest,
  old: StoredObject,
  wanted: unknown,
  options: WriteOptions,
  isPatch = false,
): StoredObject {
  const scale = checkScale(wanted, target);
  const { name, namespace, uid, resourceVersion } = asObject(scale.metadata) as KubeObject["metadata"];
  const candidate = setReplicas(old.object, paths.spec, replicasOf(scale, target));
  candidate.metadata.name = name;
  if (namespace !== undefined) candidate.metadata.namespace = namespace;
  candidate.metadata.resourceVersion = resourceVersion || (old.object.metadata.resourceVersion ?? "");
  if (uid) candidate.metadata.uid = uid;
  const stored = updateObject(context, { ...target, subresource: "scale" }, { old, candidate, isPatch }, options);
  addWarnings(exchange.response, options.warnings);
  return stored;
}

function scaleOf(object: KubeObject, paths: ScalePaths): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.selector === undefined ? undefined : valueAt(object, paths.selector);
  const replicas = Number(valueAt(object, paths.spec) ?? 0);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === 0 ? {} : { replicas },
    status: {
      replicas: Number(valueAt(object, paths.status) ?? 0),
      ...selectorText(selector),
    },
  };
}

/** Custom kinds keep it as text; workloads as a selector, and the oldest of them as a map of labels. */
function selectorText(selector: unknown): { selector?: string } {
  if (typeof selector === "string" && selector !== "") return { selector };
  if (!isObject(selector) || Object.keys(selector).length === 0) return {};
  const isMap = Object.values(selector).every((value) => typeof value === "string");
  return { selector: isMap ? formatLabels(selector) : formatSelector(selector) };
}

function checkScale(scale: unknown, target: Target): JsonObject {
  if (!isObject(scale)) throw badRequest("the object provided is unrecognized (must be of type Scale)");
  if ((scale.kind ?? "Scale") !== "Scale" || (scale.apiVersion ?? "autoscaling/v1") !== "autoscaling/v1") {
    const given = `${showValue(scale.apiVersion)}, Kind=${showValue(scale.kind)}`;
    throw badRequest(`${target.name}: expected autoscaling/v1 Scale, got ${given}`);
  }
  return scale;
}

function replicasOf(scale: JsonObject, target: Target): number {
  const replicas = asObject(scale.spec).replicas ?? 0;
  if (typeof replicas !== "number" || !Number.isInteger(replicas))
    throw badRequest(
      `json: cannot unmarshal ${typeof replicas} into Go struct field ScaleSpec.spec.replicas of type int32`,
    );
  if (replicas >= 0) return replicas;
  const finding = cause.invalid("spec.replicas", replicas, "must be greater than or equal to 0");
  throw invalid({ resource: "Scale", group: "autoscaling" }, target.name, [finding]);
}
