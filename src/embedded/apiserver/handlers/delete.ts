/** DELETE of one object and of a collection. */
import { readObjectBody } from "../http/body.ts";
import type { Exchange } from "../http/exchange.ts";
import { addWarnings, sendJson, sendStatus } from "../http/respond.ts";
import type { ApiContext, Target } from "../operations/context.ts";
import { deleteObject } from "../operations/delete.ts";
import { type DeleteOptions, parseDeleteOptions } from "../operations/delete-options.ts";
import { apiVersionOf, type ResourceKind } from "../registry/kind.ts";
import type { Status } from "../status.ts";
import { sendObject } from "./present.ts";
import { parseSelection } from "./selection.ts";

export async function handleDelete(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  const options = parseDeleteOptions(await readObjectBody(exchange.request), exchange.query, exchange.user);
  const { object, gone } = deleteObject(context, target, options);
  await context.store.flushed();
  addWarnings(exchange.response, options.warnings ?? []);
  if (!gone || target.kind.strategy.returnsDeletedObject === true) {
    sendObject(exchange, target.kind, object, { code: 200, nowMs: context.clock.now() });
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
  const options = parseDeleteOptions(await readObjectBody(exchange.request), exchange.query, exchange.user);
  const selection = parseSelection(exchange.query, kind, namespace);
  const scope = namespace === undefined ? {} : { namespace };
  const selected = context.store.list(kind.storage, scope).items.filter((item) => selection.matches(item.object));
  const results = selected.map((item) => deleteListed(context, kind, item.object.metadata, options));
  await context.store.flushed();
  const head = JSON.stringify({
    kind: kind.listKind,
    apiVersion: apiVersionOf(kind.group, kind.version),
    metadata: { resourceVersion: String(context.store.revision()) },
  });
  sendJson(exchange.response, 200, `${head.slice(0, -1)},"items":[${results.join(",")}]}`);
}

function deleteListed(
  context: ApiContext,
  kind: ResourceKind,
  meta: { name: string; namespace?: string },
  options: DeleteOptions,
): string {
  const target: Target = { kind, namespace: meta.namespace, name: meta.name, subresource: "" };
  return deleteObject(context, target, options).object.itemJson(kind);
}
