/** What a request wants to do, as rules name it: a verb on a resource, or a method on a path. Pure. */
import type { AccessAttributes } from "./authorizer.ts";

const verbs: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
const namespaceSubresources = new Set(["status", "finalize"]);

/** `pathname` as it came, decoded; `undefined` where it cannot be decoded. */
export function requestAttributes(
  method: string,
  pathname: string,
  query: URLSearchParams,
): AccessAttributes | undefined {
  const path = decode(pathname);
  if (path === undefined) return undefined;
  const parts = path.replace(/^\/+|\/+$/g, "").split("/");
  const [root, first = "", second = ""] = parts;
  if (root === "api" && parts.length >= 3) return resourceAccess("", first, { method, parts: parts.slice(2), query });
  if (root === "apis" && parts.length >= 4)
    return resourceAccess(first, second, { method, parts: parts.slice(3), query });
  return { verb: method.toLowerCase(), path };
}

function decode(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
}

interface RequestParts {
  readonly method: string;
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

function resourceAccess(group: string, version: string, request: RequestParts): AccessAttributes {
  // The deprecated `/api/v1/watch/...`: the rest of the path names what is watched.
  const watches = request.parts[0] === "watch" && request.parts.length > 1;
  const parts = watches ? request.parts.slice(1) : request.parts;
  const [first = "", second, third] = parts;
  const inNamespace = first === "namespaces" && second !== undefined;
  const rest = inNamespace && third !== undefined && !namespaceSubresources.has(third) ? parts.slice(2) : parts;
  const [resource = "", name = "", subresource = ""] = rest;
  const access = { group, version, resource, subresource, namespace: inNamespace ? (second ?? "") : "" };
  return { ...access, ...(watches ? { verb: "watch", name } : verbAndName(request, name)) };
}

function verbAndName({ method, query }: RequestParts, name: string): { verb: string; name: string } {
  const verb = verbs[method] ?? "";
  if (name !== "") return { verb, name };
  if (verb === "delete") return { verb: "deletecollection", name };
  if (verb !== "get") return { verb, name };
  // A rule for one name also allows to list and watch exactly that one.
  const only = /(?:^|,)metadata\.name==?([^,=]+)(?:$|,)/.exec(query.get("fieldSelector") ?? "")?.[1] ?? "";
  return { verb: isWatch(query) ? "watch" : "list", name: only };
}

function isWatch(query: URLSearchParams): boolean {
  const value = query.get("watch");
  return value !== null && !["false", "0"].includes(value.toLowerCase());
}
