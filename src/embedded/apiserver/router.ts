/** Routes a request: health and version, then discovery and OpenAPI, then reviews, then resources. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { anonymousUser } from "./authorization/user-info.ts";
import {
  aggregatedDiscovery,
  apiVersions,
  groupDocument,
  groupList,
  isReviewResource,
  resourceList,
} from "./discovery/discovery.ts";
import type { OpenApiDocuments } from "./discovery/openapi-documents.ts";
import { type ResourceRoutes, serveResource } from "./handlers/resources.ts";
import { handleReview, type ReviewServices } from "./handlers/reviews.ts";
import type { Exchange } from "./http/exchange.ts";
import { negotiate } from "./http/negotiate.ts";
import { parseResourcePath } from "./http/path.ts";
import { sendJson, sendText } from "./http/respond.ts";
import { badRequest, methodNotAllowed, notAcceptable, pathNotFound, unauthorized } from "./status.ts";
import { versionInfo } from "./version.ts";

export interface RouterServices {
  readonly routes: ResourceRoutes;
  readonly reviews: ReviewServices;
  readonly openApi: OpenApiDocuments;
  readonly metrics: () => Promise<string>;
  readonly address: () => string;
}

const openPaths = new Set(["/healthz", "/livez", "/readyz", "/version"]);

export async function routeRequest(
  services: RouterServices,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const url = readUrl(request);
  const pathname = url.pathname.length > 1 ? url.pathname.replace(/\/+$/, "") : url.pathname;
  const user = await services.reviews.authenticator.authenticate(request);
  if (openPaths.has(pathname) || /^\/(livez|readyz|healthz)\//.test(pathname)) return serveOpen(pathname, response);
  if (user === anonymousUser) throw unauthorized();
  if (pathname === "/metrics") return sendText(response, 200, await services.metrics(), "text/plain; version=0.0.4");
  if (pathname.startsWith("/openapi/")) return services.openApi.serve(request, response, pathname);
  const form = negotiate(request.headers.accept);
  const exchange: Exchange = { request, response, pathname, query: url.searchParams, form, user, signal };
  const discovery = discoveryDocument(services, exchange);
  if (discovery !== undefined) return sendDiscovery(exchange, discovery);
  return serveResourcePath(services, exchange);
}

function readUrl(request: IncomingMessage): URL {
  try {
    return new URL(request.url ?? "/", "https://server");
  } catch {
    throw badRequest("the path of the request cannot be read");
  }
}

function serveOpen(pathname: string, response: ServerResponse): void {
  if (pathname === "/version") sendJson(response, 200, JSON.stringify(versionInfo, null, 2));
  else sendText(response, 200, "ok", "text/plain; charset=utf-8");
}

async function serveResourcePath(services: RouterServices, exchange: Exchange): Promise<void> {
  if (exchange.form === "discovery") throw notAcceptable(["application/json"]);
  const path = readPath(exchange.pathname);
  if (path === undefined) throw pathNotFound();
  if (path.version === "v1" && isReviewResource(path.group, path.resource))
    return handleReview(services.reviews, exchange, path.resource);
  return serveResource(services.routes, exchange, path);
}

function readPath(pathname: string) {
  try {
    return parseResourcePath(pathname);
  } catch {
    throw badRequest("the path of the request is not validly percent-encoded");
  }
}

interface Discovery {
  readonly body: object;
  readonly contentType: string;
}

const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

function discoveryDocument(services: RouterServices, exchange: Exchange): Discovery | undefined {
  const { kinds } = services.routes.context;
  const [root, first, second, ...rest] = exchange.pathname.split("/").slice(1);
  if (rest.length > 0 || !["", "api", "apis"].includes(root ?? "")) return undefined;
  const aggregated = exchange.form === "discovery" && first === undefined;
  if (aggregated && root !== "")
    return { body: aggregatedDiscovery(kinds, root === "api"), contentType: aggregatedType };
  const plain = plainDiscovery(services, { root: root ?? "", first, second });
  return plain === undefined ? undefined : { body: plain, contentType: "application/json" };
}

function plainDiscovery(
  services: RouterServices,
  at: { root: string; first: string | undefined; second: string | undefined },
): object | undefined {
  const { kinds } = services.routes.context;
  if (at.root === "")
    return {
      paths: [
        "/api",
        "/api/v1",
        "/apis",
        "/healthz",
        "/livez",
        "/metrics",
        "/openapi/v2",
        "/openapi/v3",
        "/readyz",
        "/version",
      ],
    };
  if (at.root === "api") {
    if (at.first === undefined) return apiVersions(services.address());
    return at.second === undefined ? resourceList(kinds, "", at.first) : undefined;
  }
  if (at.first === undefined) return groupList(kinds);
  return at.second === undefined ? groupDocument(kinds, at.first) : resourceList(kinds, at.first, at.second);
}

function sendDiscovery(exchange: Exchange, discovery: Discovery): void {
  if (exchange.request.method !== "GET") throw methodNotAllowed();
  const body = JSON.stringify(discovery.body);
  sendText(exchange.response, 200, `${body}\n`, discovery.contentType);
}
