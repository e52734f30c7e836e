/** What metrics say of a request. Unknown resources share one label, so that a scan cannot make labels without end. Pure. */
import { type AccessAttributes, isPathAccess, type ResourceAttributes } from "./authorization/authorizer.ts";
import { isReviewResource } from "./discovery/review-resources.ts";
import type { KindRegistry } from "./registry/kind-registry.ts";

export interface RequestLabels {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly scope: "" | "cluster" | "namespace" | "resource";
  readonly dryRun: string;
  readonly longRunning: boolean;
  readonly mutating: boolean;
}

const words: Readonly<Record<string, string>> = { create: "POST", update: "PUT" };
const streamed: ReadonlySet<string> = new Set(["log", "exec", "attach", "portforward", "proxy"]);
const reading: ReadonlySet<string> = new Set(["get", "list", "watch"]);

export function requestLabels(
  kinds: KindRegistry,
  request: { readonly attributes: AccessAttributes; readonly query: URLSearchParams; readonly isApply: boolean },
): RequestLabels {
  const { attributes, query, isApply } = request;
  const dryRun = query.getAll("dryRun").includes("All") ? "All" : "";
  const none = { group: "", version: "", resource: "", subresource: "", scope: "", dryRun } as const;
  if (isPathAccess(attributes)) {
    const mutating = attributes.verb !== "get";
    return { verb: attributes.verb.toUpperCase(), ...none, longRunning: false, mutating };
  }
  const { verb, group, version = "", resource, subresource } = attributes;
  const longRunning = verb === "watch" || streamed.has(subresource);
  const mutating = !reading.has(verb);
  const word = isApply && verb === "patch" ? "APPLY" : (words[verb] ?? verb.toUpperCase());
  if (!isKnown(kinds, attributes)) return { verb: word, ...none, longRunning, mutating };
  const scope = scopeOf(attributes);
  return { verb: word, group, version, resource, subresource, scope, dryRun, longRunning, mutating };
}

function isKnown(kinds: KindRegistry, { group, version = "", resource, subresource }: ResourceAttributes): boolean {
  if (isReviewResource(group, resource)) return version === "v1" && subresource === "";
  const kind = kinds.find(group, version, resource);
  if (kind === undefined) return false;
  if (subresource === "") return true;
  return ["status", "scale"].includes(subresource) || Object.hasOwn(kind.subresources, subresource);
}

function scopeOf({ verb, name, namespace }: ResourceAttributes): "cluster" | "namespace" | "resource" {
  if (name !== "" || verb === "create") return "resource";
  return namespace === "" ? "cluster" : "namespace";
}
