/** Dispatches requests on resources: which handler serves which method, path depth and subresource. */
import type { Exchange } from "../http/exchange.ts";
import type { ResourcePath } from "../http/path.ts";
import { addWarnings } from "../http/respond.ts";
import type { ApiContext, Target } from "../operations/context.ts";
import { readObject } from "../operations/read.ts";
import { type ResourceKind, subjectOf } from "../registry/kind.ts";
import { failure, methodNotAllowed, notFound, pathNotFound, qualified } from "../status.ts";
import { handleDelete, handleDeleteCollection } from "./delete.ts";
import { handleList } from "./list.ts";
import { sendObject } from "./present.ts";
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
    const isWatch = ["true", "1"].includes(exchange.query.get("watch") ?? "");
    return isWatch ? handleWatch(context, exchange, kind, namespace) : handleList(context, exchange, kind, namespace);
  }
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
  if (["true", "1"].includes(exchange.query.get("watch") ?? "")) return watchOne(context, exchange, target);
  const stored = readObject(context, target);
  if (!context.store.isFlushed) await context.store.flushed();
  sendObject(exchange, target.kind, stored, { code: 200, nowMs: context.clock.now() });
}

/** `GET .../NAME?watch=true` is a watch of the collection with the name pinned. */
function watchOne(context: ApiContext, exchange: Exchange, target: Target): void {
  if (exchange.query.get("fieldSelector")) throw notFound(subjectOf(target.kind), target.name);
  exchange.query.set("fieldSelector", `metadata.name=${target.name}`);
  handleWatch(context, exchange, target.kind, target.namespace);
}

function countWrite(
  routes: ResourceRoutes,
  exchange: Exchange,
  kind: ResourceKind,
  what: { subresource: string; verb: string },
): void {
  if (!exchange.query.has("dryRun")) routes.counter.add(qualified(subjectOf(kind)), what.subresource, what.verb);
}
