/** Whether a policy, a binding or a webhook is about a request: resource rules, namespace and object selectors. Pure. */
import { asArray, asObject, asString, type JsonObject } from "../../json-value.ts";
import type { KubeObject } from "../../object.ts";
import type { ApiContext } from "../../operations/context.ts";
import type { ResourceKind } from "../../registry/kind.ts";
import { isEmptySelector, selectorMatches } from "../../validation/label-selectors.ts";
import type { AdmissionRequest } from "../admission.ts";

/** The kind under which it matches, which is the request's own or an equivalent one; undefined where it does not. */
export function matchResources(
  match: JsonObject,
  request: AdmissionRequest,
  context: ApiContext,
): ResourceKind | undefined {
  if (!matchesNamespace(asObject(match.namespaceSelector), request, context)) return undefined;
  if (!matchesObject(asObject(match.objectSelector), request)) return undefined;
  const fuzzy = match.matchPolicy !== "Exact";
  if (matchRules(asArray(match.excludeResourceRules), request, context, fuzzy) !== undefined) return undefined;
  const rules = asArray(match.resourceRules);
  return rules.length === 0 ? request.kind : matchRules(rules, request, context, fuzzy);
}

function matchRules(
  rules: readonly unknown[],
  request: AdmissionRequest,
  context: ApiContext,
  fuzzy: boolean,
): ResourceKind | undefined {
  const matches = (kind: ResourceKind) => rules.some((rule) => matchesRule(asObject(rule), kind, request));
  if (matches(request.kind)) return request.kind;
  if (!fuzzy) return undefined;
  return context.kinds.all().find((kind) => isEquivalent(kind, request.kind) && matches(kind));
}

/** Other versions and groups that show the same objects. */
function isEquivalent(kind: ResourceKind, other: ResourceKind): boolean {
  return kind.storage === other.storage && kind.apiVersion !== other.apiVersion;
}

function matchesRule(rule: JsonObject, kind: ResourceKind, request: AdmissionRequest): boolean {
  const among = (values: unknown, value: string) => {
    const list = asArray(values).map(asString);
    return list.includes("*") || list.includes(value);
  };
  const names = asArray(rule.resourceNames).map(asString);
  return (
    matchesScope(rule.scope, request) &&
    among(rule.operations, request.operation) &&
    among(rule.apiGroups, kind.group) &&
    among(rule.apiVersions, kind.version) &&
    asArray(rule.resources).some((resource) => matchesResource(asString(resource), kind.plural, request.subresource)) &&
    (names.length === 0 || names.includes(request.name))
  );
}

function matchesResource(pattern: string, plural: string, subresource: string): boolean {
  const [resource = "", sub = ""] = pattern.split("/");
  return (resource === "*" || resource === plural) && (sub === "*" || sub === subresource);
}

const isNamespaceObject = ({ kind }: AdmissionRequest) => kind.group === "" && kind.plural === "namespaces";

/** A namespace itself is at the cluster scope. */
function matchesScope(scope: unknown, request: AdmissionRequest): boolean {
  const isCluster = isNamespaceObject(request) || request.namespace === "";
  if (scope === "Namespaced") return !isCluster;
  return scope === "Cluster" ? isCluster : true;
}

function matchesNamespace(selector: JsonObject, request: AdmissionRequest, context: ApiContext): boolean {
  if (isEmptySelector(selector)) return true;
  const self = isNamespaceObject(request) ? (request.object ?? request.old) : undefined;
  if (self === undefined && request.namespace === "") return true;
  const namespace = self ?? context.store.get("namespaces", request.namespace)?.object;
  return selectorMatches(selector, namespace?.metadata.labels ?? {});
}

function matchesObject(selector: JsonObject, { object, old }: AdmissionRequest): boolean {
  if (isEmptySelector(selector)) return true;
  const matches = (one: KubeObject | undefined) =>
    one !== undefined && selectorMatches(selector, one.metadata.labels ?? {});
  return matches(object) || matches(old);
}
