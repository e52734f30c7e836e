/** The scale subresource: `autoscaling/v1` Scale as a view of the replicas fields that a kind declares. */
import { mediaType, parseJson, readBytes } from "../http/body.ts";
import { type Exchange, writeOptionsOf } from "../http/exchange.ts";
import { sendJson } from "../http/respond.ts";
import { asObject, cloneJson, isObject, type JsonObject, valueAt } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { ApiContext, Target } from "../operations/context.ts";
import { readObject } from "../operations/read.ts";
import { updateObject } from "../operations/update.ts";
import { applyPatch } from "../patch/apply-patch.ts";
import type { ScalePaths } from "../registry/kind.ts";
import { badRequest, methodNotAllowed, pathNotFound, unsupportedMediaType } from "../status.ts";
import { requireBody } from "./write.ts";

export async function handleScale(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  const paths = target.kind.scale;
  if (paths === undefined) throw pathNotFound();
  const method = exchange.request.method;
  if (method !== "GET" && method !== "PUT" && method !== "PATCH") throw methodNotAllowed();
  const bytes = method === "GET" ? undefined : await readBytes(exchange.request);
  const old = readObject(context, target);
  const before = scaleOf(old.object, paths);
  if (bytes === undefined) return sendJson(exchange.response, 200, JSON.stringify(before));
  const wanted = method === "PUT" ? requireBody(parseJson(bytes)) : patchScale(exchange, before, parseJson(bytes));
  const replicas = readReplicas(wanted);
  const candidate = withReplicas(old.object, paths.spec, replicas);
  const options = writeOptionsOf(exchange);
  const stored = updateObject(context, { ...target, subresource: "scale" }, { old, candidate }, options);
  sendJson(exchange.response, 200, JSON.stringify(scaleOf(stored.object, paths)));
}

function patchScale(exchange: Exchange, scale: JsonObject, patch: unknown): unknown {
  const type = mediaType(exchange.request);
  if (type === "application/json-patch+json") return applyPatch("json", scale, patch, {});
  if (type === "application/merge-patch+json" || type === "application/strategic-merge-patch+json")
    return applyPatch("merge", scale, patch, {});
  throw unsupportedMediaType(["application/json-patch+json", "application/merge-patch+json"]);
}

function scaleOf(object: KubeObject, paths: ScalePaths): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.selector === undefined ? undefined : valueAt(object, paths.selector);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: Number(valueAt(object, paths.spec) ?? 0) },
    status: {
      replicas: Number(valueAt(object, paths.status) ?? 0),
      ...(typeof selector === "string" ? { selector } : {}),
    },
  };
}

function readReplicas(scale: unknown): number {
  const replicas = Number(asObject(asObject(scale).spec).replicas ?? 0);
  if (Number.isInteger(replicas) && replicas >= 0) return replicas;
  throw badRequest(`spec.replicas must be a whole number of at least 0, got ${JSON.stringify(replicas)}`);
}

function withReplicas(object: KubeObject, path: readonly string[], replicas: number): KubeObject {
  const copy = cloneJson(object);
  let parent: JsonObject = copy;
  for (const name of path.slice(0, -1)) {
    if (!isObject(parent[name])) parent[name] = {};
    parent = asObject(parent[name]);
  }
  parent[path.at(-1) ?? ""] = replicas;
  return copy;
}
