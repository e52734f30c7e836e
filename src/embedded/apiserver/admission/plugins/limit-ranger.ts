/** LimitRanger: containers get the namespace's default requests and limits, and nothing goes beyond its bounds. */

import { canonicalQuantity, compareQuantities, parseNanos } from "../../../quantity.ts";
import { asArray, asObject, asString, type JsonObject } from "../../json-value.ts";
import { type KubeObject, specOf } from "../../object.ts";
import type { ApiContext } from "../../operations/context.ts";
import { subjectOf } from "../../registry/kind.ts";
import { forbidden } from "../../status.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { podResources, type ResourceList, resourceList } from "../pod-resources.ts";

const annotation = "kubernetes.io/limit-ranger";

export const limitRanger: AdmissionPlugin = {
  name: "LimitRanger",
  mutate: (request, context) => {
    if (!isLimitedPod(request) || request.object === undefined) return;
    for (const limits of rangesOf(context, request.namespace)) applyDefaults(request.object, limits);
  },
  validate: (request, context) => {
    const { kind, object, subresource } = request;
    if (object === undefined) return;
    const isClaim = kind.storage === "persistentvolumeclaims" && subresource === "" && request.operation !== "DELETE";
    if (!isClaim && !isLimitedPod(request)) return;
    const problems = rangesOf(context, request.namespace).flatMap((limits) =>
      limits.flatMap((limit) => (isClaim ? checkClaim(object, limit) : checkPod(object, limit))),
    );
    if (problems.length === 0) return;
    const why = problems.length === 1 ? (problems[0] ?? "") : `[${problems.join(", ")}]`;
    throw forbidden(subjectOf(kind), request.name, why);
  },
};

/** The containers of a pod never change but by a resize. */
function isLimitedPod({ kind, operation, subresource }: AdmissionRequest): boolean {
  if (kind.storage !== "pods") return false;
  return (operation === "CREATE" && subresource === "") || (operation === "UPDATE" && subresource === "resize");
}

function rangesOf({ store }: ApiContext, namespace: string): JsonObject[][] {
  const ranges = store.list("limitranges", { namespace }).items;
  return ranges.map((item) => asArray(specOf(item.object).limits).map(asObject));
}

function applyDefaults(pod: KubeObject, limits: readonly JsonObject[]): void {
  const own = limits.filter((limit) => limit.type === "Container");
  const defaults = {
    requests: Object.assign({}, ...own.map((limit) => asObject(limit.defaultRequest))) as ResourceList,
    limits: Object.assign({}, ...own.map((limit) => asObject(limit.default))) as ResourceList,
  };
  const notes: string[] = [];
  for (const [list, word] of [
    ["containers", "container"],
    ["initContainers", "init container"],
  ] as const) {
    for (const container of asArray(specOf(pod)[list]).map(asObject)) {
      const resources = asObject(container.resources);
      container.resources = resources;
      for (const [side, noun] of [
        ["requests", "request"],
        ["limits", "limit"],
      ] as const) {
        const set = addMissing(resources, side, defaults[side]);
        if (set.length > 0) notes.push(`${set.join(", ")} ${noun} for ${word} ${asString(container.name)}`);
      }
    }
  }
  if (notes.length === 0) return;
  const annotations = { ...pod.metadata.annotations, [annotation]: `LimitRanger plugin set: ${notes.join("; ")}` };
  pod.metadata.annotations = annotations;
}

/** @returns the names that were added */
function addMissing(resources: JsonObject, side: "requests" | "limits", defaults: ResourceList): string[] {
  const given = asObject(resources[side]);
  const missing = Object.keys(defaults)
    .filter((name) => given[name] === undefined)
    .sort();
  if (missing.length > 0)
    resources[side] = { ...given, ...Object.fromEntries(missing.map((name) => [name, defaults[name]])) };
  return missing;
}

interface Usage {
  readonly requests: ResourceList;
  readonly limits: ResourceList;
}

function checkPod(pod: KubeObject, limit: JsonObject): string[] {
  const spec = specOf(pod);
  if (limit.type === "Pod") return checkUsage("Pod", limit, podResources(spec));
  if (limit.type !== "Container") return [];
  return [...asArray(spec.containers), ...asArray(spec.initContainers)].flatMap((container) => {
    const resources = asObject(asObject(container).resources);
    const usage = { requests: resourceList(resources.requests), limits: resourceList(resources.limits) };
    return checkUsage("Container", limit, usage);
  });
}

function checkUsage(type: string, limit: JsonObject, usage: Usage): string[] {
  const each = (bounds: unknown, check: (name: string, bound: string) => string | undefined) =>
    Object.entries(asObject(bounds)).flatMap(([name, bound]) => check(name, String(bound)) ?? []);
  return [
    ...each(limit.min, (name, bound) => checkMin(type, { name, bound }, usage)),
    ...each(limit.max, (name, bound) => checkMax(type, { name, bound }, usage)),
    ...each(limit.maxLimitRequestRatio, (name, bound) => checkRatio(type, { name, bound }, usage)),
  ];
}

interface Bound {
  readonly name: string;
  readonly bound: string;
}

function checkMin(type: string, { name, bound }: Bound, { requests, limits }: Usage): string | undefined {
  const rule = `minimum ${name} usage per ${type} is ${canonicalQuantity(bound)}`;
  const [request, limit] = [requests[name], limits[name]];
  if (request === undefined) return `${rule}.  No request is specified`;
  if (compareQuantities(request, bound) < 0) return `${rule}, but request is ${canonicalQuantity(request)}`;
  return limit !== undefined && compareQuantities(limit, bound) < 0
    ? `${rule}, but limit is ${canonicalQuantity(limit)}`
    : undefined;
}

function checkMax(type: string, { name, bound }: Bound, { requests, limits }: Usage): string | undefined {
  const rule = `maximum ${name} usage per ${type} is ${canonicalQuantity(bound)}`;
  const [request, limit] = [requests[name], limits[name]];
  if (limit === undefined) return `${rule}.  No limit is specified`;
  if (compareQuantities(limit, bound) > 0) return `${rule}, but limit is ${canonicalQuantity(limit)}`;
  return request !== undefined && compareQuantities(request, bound) > 0
    ? `${rule}, but request is ${canonicalQuantity(request)}`
    : undefined;
}

function checkRatio(type: string, { name, bound }: Bound, { requests, limits }: Usage): string | undefined {
  const rule = `${name} max limit to request ratio per ${type} is ${canonicalQuantity(bound)}`;
  const request = parseNanos(requests[name]) ?? 0n;
  const limit = parseNanos(limits[name]) ?? 0n;
  if (request === 0n) return `${rule}, but no request is specified or request is 0`;
  if (limit === 0n) return `${rule}, but no limit is specified or limit is 0`;
  const ratio = Number(limit) / Number(request);
  const allowed = Number(parseNanos(bound) ?? 0n) / 1e9;
  return ratio > allowed ? `${rule}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}

/** A claim has no limits: what it requests is bounded on both sides. */
function checkClaim(claim: KubeObject, limit: JsonObject): string[] {
  if (limit.type !== "PersistentVolumeClaim") return [];
  const requests = resourceList(asObject(specOf(claim).resources).requests);
  const problems: string[] = [];
  for (const [name, bound] of Object.entries(asObject(limit.min))) {
    const problem = checkMin("PersistentVolumeClaim", { name, bound: String(bound) }, { requests, limits: {} });
    if (problem !== undefined) problems.push(problem);
  }
  for (const [name, value] of Object.entries(asObject(limit.max))) {
    const bound = String(value);
    const rule = `maximum ${name} usage per PersistentVolumeClaim is ${canonicalQuantity(bound)}`;
    const request = requests[name];
    if (request === undefined) problems.push(`${rule}.  No request is specified`);
    else if (compareQuantities(request, bound) > 0)
      problems.push(`${rule}, but request is ${canonicalQuantity(request)}`);
  }
  return problems;
}
