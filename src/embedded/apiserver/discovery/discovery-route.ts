/** Which discovery document a path and an Accept header ask for, and how it is sent. */
import { createHash } from "node:crypto";
import type { Exchange } from "../http/exchange.ts";
import { sendText } from "../http/respond.ts";
import type { KindRegistry } from "../registry/kind-registry.ts";
import { methodNotAllowed } from "../status.ts";
import {
  aggregatedDiscovery,
  apiVersions,
  groupDocument,
  groupList,
  groupVersions,
  resourceList,
} from "./discovery.ts";

export interface DiscoveryDocument {
  readonly body: object;
  readonly contentType: string;
}

const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

export function discoveryDocument(
  kinds: KindRegistry,
  exchange: Exchange,
  serverAddress: string,
): DiscoveryDocument | undefined {
  const [root = "", first, second, ...rest] = exchange.pathname.split("/").slice(1);
  if (rest.length > 0 || !["", "api", "apis"].includes(root)) return undefined;
  const aggregated = exchange.form === "discovery" && first === undefined;
  if (aggregated && root !== "")
    return { body: aggregatedDiscovery(kinds, root === "api"), contentType: aggregatedType };
  const plain = plainDiscovery(kinds, { root, first, second }, serverAddress);
  return plain === undefined ? undefined : { body: plain, contentType: "application/json" };
}

interface DiscoveryPath {
  readonly root: string;
  readonly first: string | undefined;
  readonly second: string | undefined;
}

function plainDiscovery(kinds: KindRegistry, at: DiscoveryPath, serverAddress: string): object | undefined {
  if (at.root === "") return { paths: pathsOf(kinds) };
  if (at.root === "api") {
    if (at.first === undefined) return apiVersions(serverAddress);
    return at.second === undefined ? resourceList(kinds, "", at.first) : undefined;
  }
  if (at.first === undefined) return groupList(kinds);
  return at.second === undefined ? groupDocument(kinds, at.first) : resourceList(kinds, at.first, at.second);
}

const otherPaths = [
  "/.well-known/openid-configuration",
  "/api",
  "/api/v1",
  "/apis",
  "/apis/",
  "/healthz",
  "/livez",
  "/metrics",
  "/openapi/v2",
  "/openapi/v3",
  "/openid/v1/jwks",
  "/readyz",
  "/version",
];

function pathsOf(kinds: KindRegistry): string[] {
  const groups = [...groupVersions(kinds)].filter(([group]) => group !== "");
  const ofGroups = groups.flatMap(([group, versions]) => [
    `/apis/${group}`,
    ...versions.map((version) => `/apis/${group}/${version}`),
  ]);
  return [...otherPaths, ...ofGroups].sort();
}

export function sendDiscovery(exchange: Exchange, discovery: DiscoveryDocument): void {
  if (exchange.request.method !== "GET") throw methodNotAllowed();
  const body = `${JSON.stringify(discovery.body)}\n`;
  if (discovery.contentType !== aggregatedType) sendText(exchange.response, 200, body, discovery.contentType);
  else sendTagged(exchange, body, discovery.contentType);
}

/** Clients keep the aggregated document and ask whether it has changed. */
function sendTagged({ request, response }: Exchange, body: string, contentType: string): void {
  const tag = `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`;
  const headers = { etag: tag, vary: "Accept", "cache-control": "public" };
  if (request.headers["if-none-match"] === tag) {
    response.writeHead(304, headers);
    response.end();
    return;
  }
  response.writeHead(200, { ...headers, "content-type": contentType, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
