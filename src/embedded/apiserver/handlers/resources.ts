/** Dispatches requests on resources: which handler serves which method, path depth and subresource. */
import type { Exchange } from "../http/exchange.ts";
import type { ResourcePath } from "../http/path.ts";
import { addWarnings } from "../http/respond.ts";
import type { ApiContext, Target } from "../operations/context.ts";
import { readObject } from "../operations/read.ts";
import { type ResourceKind, subjectOf } from "../registry/kind.ts";
import { failure, methodNotAllowed, pathNotFound, qualified } from "../status.ts";
import { handleDelete, handleDeleteCollection } from "./delete.ts";
import { handleList } from "./list.ts";
import { parseListOptions } from "./list-options.ts";
import { sendObject } from "./present.ts";
import { parseResourceVersion, untilRevision } from "./resource-version.ts";
import { handleScale } from "./scale.ts";
import { handleWatch } from "./watch.ts";
import { handleCreate, handlePatch, handleReplace } from "./write.ts";
import type { WriteCounter } from "./write-counter.ts";

/** Serves a subresource that is not status or scale. */
export type SubresourceHandler = (exchange: Exchange, target: Target) => Promise<void>;

export interface ResourceRoutes {
  readonly context: ApiContext;
  readonly counter: WriteCounter;
  /** By `plural/subresource` for the core group. */
  readonly subresources: Readonly<Record<string, SubresourceHandler>>;
}

export async function serveResource(routes: ResourceRoutes, exchange: Exchange, path: ResourcePath): Promise<void> {
  const kind = routes.context.kinds.find(path.group, path.version, path.resource);
  if (kind === undefined) throw pathNotFound();
  if (path.namespace !== undefined && !kind.namespaced) throw pathNotFound();
  if (kind.deprecation !== undefined) addWarnings(exchange.response, [kind.deprecation]);
  if (kind.unavailable !== undefined) throw failure(500, "InternalError", kind.unavailable);
  if (path.watch) return watchPath(routes.context, exchange, kind, path);
  if (path.name === undefined) await serveCollection(routes, exchange, kind, path.namespace);
  else await serveObject(routes, exchange, targetOf(kind, path, path.name), path.subresource);
}

function targetOf(kind: ResourceKind, path: ResourcePath, name: string): Target {
  // A namespaced object has no path outside of its namespace.
  if (kind.namespaced && path.namespace === undefined) throw pathNotFound();
  return { kind, namespace: path.namespace, name, subresource: path.subresource };
}

async function serveCollection(
  routes: ResourceRoutes,
  exchange: Exchange,
  kind: ResourceKind,
  namespace: string | undefined,
): Promise<void> {
  const { context } = routes;
  const method = exchange.request.method;
  if (method === "GET") {
    const options = parseListOptions(exchange.query);
    const at = { kind, namespace };
    return options.watch ? handleWatch(context, exchange, at, options) : handleList(context, exchange, at, options);
  }
  // Across namespaces a namespaced kind is only read.
  if (kind.namespaced && namespace === undefined) throw methodNotAllowed();
  if (method === "POST") {
    await handleCreate(context, exchange, kind, namespace);
    return countWrite(routes, exchange, kind, { subresource: "", verb: "create" });
  }
  if (method !== "DELETE") throw methodNotAllowed();
  await handleDeleteCollection(context, exchange, kind, namespace);
  countWrite(routes, exchange, kind, { subresource: "", verb: "deletecollection" });
}

async function serveObject(
  routes: ResourceRoutes,
  exchange: Exchange,
  target: Target,
  subresource: string,
): Promise<void> {
  const special = routes.subresources[`${qualified(subjectOf(target.kind))}/${subresource}`];
  if (special !== undefined) return special(exchange, target);
  if (subresource === "scale" && target.kind.scale !== undefined) await handleScale(routes.context, exchange, target);
  else if (
    subresource === "" ||
    (subresource === "status" && target.kind.hasStatus) ||
    target.kind.strategy.subresourceParts?.[subresource] !== undefined
  )
    await serveMain(routes.context, exchange, target);
  else throw pathNotFound();
  const verb = verbs[exchange.request.method ?? ""];
  if (verb !== undefined) countWrite(routes, exchange, target.kind, { subresource, verb });
}

const verbs: Readonly<Record<string, string>> = { PUT: "update", PATCH: "patch", DELETE: "delete" };

async function serveMain(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  const method = exchange.request.method;
  if (method === "PUT") return handleReplace(context, exchange, target);
  if (method === "PATCH") return handlePatch(context, exchange, target);
  if (method === "DELETE" && target.subresource === "") return handleDelete(context, exchange, target);
  if (method !== "GET") throw methodNotAllowed();
  await untilRevision(context.store, parseResourceVersion(exchange.query.get("resourceVersion") ?? ""), exchange.life);
  const stored = readObject(context, target);
  if (!context.store.isFlushed) await context.store.flushed();
  sendObject(exchange, target.kind, stored, { code: 200, nowMs: context.clock.now() });
}

/** The deprecated `/api/v1/watch/...`, of a collection or of one object. */
async function watchPath(
  context: ApiContext,
  exchange: Exchange,
  kind: ResourceKind,
  path: ResourcePath,
): Promise<void> {
  if (path.subresource !== "" || (path.name !== undefined && kind.namespaced && path.namespace === undefined))
    throw pathNotFound();
  if (exchange.request.method !== "GET") throw methodNotAllowed();
  const target = { kind, namespace: path.namespace, name: path.name };
  await handleWatch(context, exchange, target, parseListOptions(exchange.query, true));
}

function countWrite(
  routes: ResourceRoutes,
  exchange: Exchange,
  kind: ResourceKind,
  what: { subresource: string; verb: string },
): void {
  if (!exchange.query.has("dryRun")) routes.counter.add(qualified(subjectOf(kind)), what.subresource, what.verb);
}
