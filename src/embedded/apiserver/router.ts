/**
 * Routes a request: who asks -> as whom -> whether they may -> health and version, discovery and OpenAPI, reviews,
 * resources. Nothing of a request is read before it is authorized.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AccessAttributes } from "./authorization/authorizer.ts";
import { forbiddenAccess } from "./authorization/forbidden-access.ts";
import { requestAttributes } from "./authorization/request-attributes.ts";
import type { UserInfo } from "./authorization/user-info.ts";
import type { ServiceAccountTokens } from "./controllers/service-account-tokens.ts";
import { discoveryDocument, sendDiscovery } from "./discovery/discovery-route.ts";
import type { OpenApiDocuments } from "./discovery/openapi-documents.ts";
import { isReviewResource } from "./discovery/review-resources.ts";
import { type HealthCheck, isHealthPath, serveHealth } from "./handlers/health.ts";
import { type ResourceRoutes, serveResource } from "./handlers/resources.ts";
import { handleReview, type ReviewServices } from "./handlers/reviews.ts";
import { issuerDocument } from "./handlers/token-issuer.ts";
import { answerPageNotFound } from "./http/answer-page-not-found.ts";
import { mediaType } from "./http/body.ts";
import type { Exchange } from "./http/exchange.ts";
import { impersonate } from "./http/impersonate.ts";
import { negotiate } from "./http/negotiate.ts";
import { parseResourcePath } from "./http/path.ts";
import type { RequestLife } from "./http/request-life.ts";
import type { RequestLimits } from "./http/request-limits.ts";
import { answerInYaml, sendJson, sendText } from "./http/respond.ts";
import type { ApiMetrics } from "./metrics.ts";
import { requestLabels } from "./request-labels.ts";
import { badRequest, methodNotAllowed, notAcceptable, pathNotFound } from "./status.ts";
import { versionInfo } from "./version.ts";

export interface RouterServices {
  readonly routes: ResourceRoutes;
  readonly reviews: ReviewServices;
  readonly tokens: ServiceAccountTokens;
  readonly openApi: OpenApiDocuments;
  readonly metrics: ApiMetrics;
  readonly limits: RequestLimits;
  readonly checks: readonly HealthCheck[];
  readonly address: () => string;
}

interface Incoming {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

export async function routeRequest(
  services: RouterServices,
  request: IncomingMessage,
  response: ServerResponse,
  life: RequestLife,
): Promise<void> {
  response.setHeader("audit-id", auditIdOf(request));
  const url = readUrl(request);
  const attributes = requestAttributes(request.method ?? "GET", url.pathname, url.searchParams);
  if (attributes === undefined) throw badRequest("the path of the request is not validly percent-encoded");
  const enterAs = account(services, { request, response, url }, attributes);
  const user = authorizeRequest(services, request, attributes);
  enterAs(user);
  const pathname = url.pathname.length > 1 ? url.pathname.replace(/\/+$/, "") : url.pathname;
  if (await servePlain(services, { request, response, url }, pathname)) return;
  const { form, isYaml } = negotiate(request.headers.accept);
  if (isYaml) answerInYaml(response);
  const exchange: Exchange = { request, response, pathname, query: url.searchParams, form, user, life };
  const discovery = discoveryDocument(services.routes.context.kinds, exchange, services.address());
  if (discovery !== undefined) return sendDiscovery(exchange, discovery);
  return serveResourcePath(services, exchange);
}

/** Clients may name a request themselves, to find it in the logs of several servers. */
function auditIdOf(request: IncomingMessage): string {
  if (request.headers["audit-id"] === undefined) return randomUUID();
  const given = request.headersDistinct["audit-id"]?.[0] ?? "";
  return /^[\x21-\x7e]{1,64}$/.test(given) ? given : randomUUID();
}

function readUrl(request: IncomingMessage): URL {
  try {
    return new URL(request.url ?? "/", "https://server");
  } catch {
    throw badRequest("the path of the request cannot be read");
  }
}

/**
 * Counts the request among those that are open until its answer has ended, and its user's once it is called with the user. Both throw a
 * 429 where there are too many.
 */
function account(services: RouterServices, incoming: Incoming, attributes: AccessAttributes): (user: UserInfo) => void {
  const { request, response, url } = incoming;
  const { limits } = services;
  const isApply = mediaType(request).startsWith("application/apply-patch");
  const labels = requestLabels(services.routes.context.kinds, { attributes, query: url.searchParams, isApply });
  const ends = [services.metrics.begin(labels)];
  response.once("close", () => {
    for (const end of ends) end(response.statusCode);
  });
  if (labels.longRunning) return () => undefined;
  const kind = labels.mutating ? "mutating" : "readOnly";
  ends.push(limits.enter(kind));
  return (user) => void ends.push(limits.enterAs(kind, user));
}

function authorizeRequest(services: RouterServices, request: IncomingMessage, attributes: AccessAttributes): UserInfo {
  const requestor = services.reviews.authenticator.authenticate(request);
  const { authorizer } = services.routes.context;
  const user = impersonate(authorizer, requestor, request, attributes);
  const { allowed, reason } = authorizer.authorize(user, attributes);
  if (!allowed) throw forbiddenAccess(user, attributes, reason);
  return user;
}

/** Everything that is no API of resources. @returns whether it was answered */
async function servePlain(services: RouterServices, incoming: Incoming, pathname: string): Promise<boolean> {
  const { request, response, url } = incoming;
  if (isHealthPath(pathname)) serveHealth(response, services.checks, { pathname, query: url.searchParams });
  else if (pathname === "/version") {
    if (request.method !== "GET") throw methodNotAllowed();
    sendJson(response, 200, JSON.stringify(versionInfo, null, 2));
  } else if (pathname === "/metrics")
    sendText(response, 200, await services.metrics.text(), "text/plain; version=0.0.4");
  else if (pathname.startsWith("/openapi/"))
    services.openApi.serve(request, response, new URL(pathname + url.search, url));
  else {
    const issuer = issuerDocument(services.tokens, pathname, services.address());
    if (issuer !== undefined) sendText(response, 200, issuer.body, issuer.contentType);
    else if (pathname === "/" || /^\/apis?(\/|$)/.test(pathname)) return false;
    else answerPageNotFound(response);
  }
  return true;
}

async function serveResourcePath(services: RouterServices, exchange: Exchange): Promise<void> {
  if (exchange.form === "discovery") throw notAcceptable(["application/json"]);
  const path = parseResourcePath(exchange.pathname);
  if (path === undefined) throw pathNotFound();
  if (path.version === "v1" && isReviewResource(path.group, path.resource))
    return handleReview(services.reviews, exchange, path);
  return serveResource(services.routes, exchange, path);
}
