/** DELETE of one object and of a collection. */

import { readObjectBody } from "../http/body.ts";
import type { Exchange } from "../http/exchange.ts";
import { addWarnings, sendJson, sendStatus } from "../http/respond.ts";
import { showValue } from "../json-value.ts";
import type { ApiContext, Target } from "../operations/context.ts";
import { deleteObject } from "../operations/delete.ts";
import { type DeleteOptions, parseDeleteOptions } from "../operations/delete-options.ts";
import { apiVersionOf, type ResourceKind } from "../registry/kind.ts";
import { badRequest, cause, invalid, type Status, StatusError } from "../status.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { sendObject } from "./present.ts";
import { parseSelection } from "./selection.ts";

export async function handleDelete(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  const options = parseDeleteOptions(await readObjectBody(exchange.request), exchange.query, exchange.user);
  const { object, gone } = deleteObject(context, target, options);
  await context.store.flushed();
  addWarnings(exchange.response, options.warnings ?? []);
  if (!gone || target.kind.strategy.returnsDeletedObject === true) {
    const code = !gone && options.isOrphaningRefused === true ? 202 : 200;
    sendObject(exchange, target.kind, object, { code, nowMs: context.clock.now() });
    return;
  }
  sendStatus(exchange.response, deletedStatus(target, object.object.metadata.uid ?? ""));
}

function deletedStatus(target: Target, uid: string): Status {
  const group = target.kind.group === "" ? {} : { group: target.kind.group };
  const details = { name: target.name, ...group, kind: target.kind.plural, uid };
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
}

export async function handleDeleteCollection(
  context: ApiContext,
  exchange: Exchange,
  kind: ResourceKind,
  namespace: string | undefined,
): Promise<void> {
  const body = await readObjectBody(exchange.request);
  const options = parseDeleteOptions(body, exchange.query, exchange.user);
  refuseUnsafe(body, exchange.query);
  const selection = parseSelection(exchange.query, kind, namespace);
  const scope = namespace === undefined ? {} : { namespace };
  const snapshot = context.store.list(kind.storage, scope);
  const matching = snapshot.items.filter((item) => selection.matches(item.object));
  const selected = matching.slice(0, parseLimit(exchange.query.get("limit")));
  for (const item of selected) deleteListed(context, kind, item, options);
  await context.store.flushed();
  addWarnings(exchange.response, options.warnings ?? []);
  const apiVersion = apiVersionOf(kind.group, kind.version);
  const metadata = { resourceVersion: String(snapshot.revision) };
  const head = JSON.stringify({ kind: kind.listKind, apiVersion, metadata });
  // The answer lists the objects as they were before, as the real server's does.
  const items = selected.map((item) => item.itemJson(kind));
  sendJson(exchange.response, 200, `${head.slice(0, -1)},"items":[${items.join(",")}]}`);
}

const unsafeField = "ignoreStoreReadErrorWithClusterBreakingPotential";

function refuseUnsafe(body: unknown, query: URLSearchParams): void {
  const asked = body === undefined ? query.get(unsafeField) : (body as Record<string, unknown>)[unsafeField];
  if (showValue(asked) !== "true") return;
  const why = "is not allowed with DELETECOLLECTION, try again after removing the option";
  throw invalid({ resource: "DeleteOptions", group: "meta.k8s.io" }, "", [cause.invalid(unsafeField, true, why)]);
}

function parseLimit(text: string | null): number {
  if (text === null || text === "" || text === "0") return Number.POSITIVE_INFINITY;
  if (!/^\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function deleteListed(context: ApiContext, kind: ResourceKind, item: StoredObject, options: DeleteOptions): void {
  const { namespace, name } = item.object.metadata;
  try {
    deleteObject(context, { kind, namespace, name, subresource: "" }, options);
  } catch (error) {
    // Somebody else (a controller on the way of the first deletions) was quicker.
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
  }
}
