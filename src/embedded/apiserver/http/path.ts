/** Reads the path of a request as the Kubernetes API lays paths out. Pure. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly namespace: string | undefined;
  readonly resource: string;
  readonly name: string | undefined;
  readonly subresource: string;
  /** The deprecated form `/api/v1/watch/...`: what the rest of the path names is watched. */
  readonly watch: boolean;
}

/** Undefined for paths that name no resource: discovery, health and so on. */
export function parseResourcePath(pathname: string): ResourcePath | undefined {
  const parts = pathname
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  if (parts[0] === "api" && parts.length >= 3) return parseRest("", parts[1] ?? "", parts.slice(2));
  if (parts[0] === "apis" && parts.length >= 4) return parseRest(parts[1] ?? "", parts[2] ?? "", parts.slice(3));
  return undefined;
}

const namespaceSubresources = new Set(["status", "finalize"]);

function parseRest(group: string, version: string, all: readonly string[]): ResourcePath | undefined {
  const watch = all[0] === "watch" && all.length > 1;
  const parts = watch ? all.slice(1) : all;
  const [first, second, third] = parts;
  const namesNamespace = first === "namespaces" && third !== undefined && !namespaceSubresources.has(third);
  if (first === undefined) return undefined;
  const rest = namesNamespace ? parts.slice(2) : parts;
  if (rest.length > 3) return undefined;
  return {
    group,
    version,
    namespace: namesNamespace ? second : undefined,
    resource: rest[0] ?? "",
    name: rest[1],
    subresource: rest[2] ?? "",
    watch,
  };
}
