/** Which pods a quota with scopes is about. A quota with scopes counts nothing but pods. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../../object.ts";
import type { ResourceKind } from "../../registry/kind.ts";

interface Scope {
  readonly scopeName: string;
  readonly operator: string;
  readonly values: readonly string[];
}

export function isInScope(quota: KubeObject, kind: ResourceKind, object: KubeObject): boolean {
  const scopes = scopesOf(quota);
  if (scopes.length === 0) return true;
  return kind.storage === "pods" && scopes.every((scope) => matches(scope, object));
}

function scopesOf(quota: KubeObject): readonly Scope[] {
  const { scopes, scopeSelector } = specOf(quota);
  const plain = asArray(scopes).map((name) => ({ scopeName: asString(name), operator: "Exists", values: [] }));
  const selected = asArray(asObject(scopeSelector).matchExpressions)
    .map(asObject)
    .map(({ scopeName, operator, values }) => ({
      scopeName: asString(scopeName),
      operator: asString(operator),
      values: asArray(values).map(asString),
    }));
  return [...plain, ...selected];
}

function matches(scope: Scope, pod: KubeObject): boolean {
  const spec = specOf(pod);
  switch (scope.scopeName) {
    case "Terminating":
      return spec.activeDeadlineSeconds !== undefined;
    case "NotTerminating":
      return spec.activeDeadlineSeconds === undefined;
    case "BestEffort":
      return isBestEffort(pod);
    case "NotBestEffort":
      return !isBestEffort(pod);
    case "PriorityClass":
      return matchesClass(scope, asString(spec.priorityClassName));
    case "CrossNamespacePodAffinity":
      return hasAffinityAcrossNamespaces(spec);
    default:
      return false;
  }
}

function matchesClass({ operator, values }: Scope, name: string): boolean {
  if (operator === "Exists") return name !== "";
  if (operator === "DoesNotExist") return name === "";
  return operator === "In" ? values.includes(name) : !values.includes(name);
}

const isBestEffort = (pod: KubeObject): boolean => statusOf(pod).qosClass === "BestEffort";

function hasAffinityAcrossNamespaces(spec: JsonObject): boolean {
  const { podAffinity, podAntiAffinity } = asObject(spec.affinity);
  return [podAffinity, podAntiAffinity].map(asObject).some((affinity) => {
    const required = asArray(affinity.requiredDuringSchedulingIgnoredDuringExecution).map(asObject);
    const preferred = asArray(affinity.preferredDuringSchedulingIgnoredDuringExecution).map((term) =>
      asObject(asObject(term).podAffinityTerm),
    );
    return [...required, ...preferred].some(
      (term) => asArray(term.namespaces).length > 0 || isObject(term.namespaceSelector),
    );
  });
}
