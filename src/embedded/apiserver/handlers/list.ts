/**
 * LIST: selection, paging by continue token, consistency by resourceVersion. A page is chosen in one turn; then the answer
 * waits until everything that it shows is durable. Effects: the response only.
 */
import type { Exchange } from "../http/exchange.ts";
import { sendJsonPieces } from "../http/respond.ts";
import { type ApiContext, keyOf } from "../operations/context.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { badRequest, expired } from "../status.ts";
import { lowerBound } from "../storage/resource-table.ts";
import { CompactedError, type Snapshot } from "../storage/store.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { type ContinueToken, formatContinue, parseContinue } from "./continue-token.ts";
import { checkListForm, listBody, type Page } from "./list-body.ts";
import type { ListOptions } from "./list-options.ts";
import { parseResourceVersion, untilRevision } from "./resource-version.ts";
import { parseSelection, type Selection } from "./selection.ts";

export async function handleList(
  context: ApiContext,
  exchange: Exchange,
  at: { readonly kind: ResourceKind; readonly namespace: string | undefined },
  options: ListOptions,
): Promise<void> {
  const { kind } = at;
  const selection = parseSelection(exchange.query, kind, at.namespace);
  const token = parseContinue(options.continueToken);
  checkListForm(exchange, kind);
  const version = parseListVersion(options, token);
  await untilRevision(context.store, version, exchange.life);
  const atRevision = token === undefined ? exactRevision(options, version, selection) : token.revision;
  const snapshot = readSnapshot(context, kind, selection, { token, atRevision });
  const page = cutPage(snapshot, selection, { token, limit: options.resourceVersion === "0" ? 0 : options.limit });
  if (!context.store.isFlushed) await context.store.flushed();
  await sendJsonPieces(exchange.response, 200, listBody(exchange, kind, page, context.clock.now()));
}

function parseListVersion(options: ListOptions, token: ContinueToken | undefined): number {
  if (token === undefined) return parseResourceVersion(options.resourceVersion, true);
  if (options.resourceVersion !== "" && options.resourceVersion !== "0")
    throw badRequest("specifying resource version is not allowed when using continue");
  return token.revision ?? 0;
}

/** `Exact`, and a version with a limit, ask for that very state; otherwise the present is never older than asked for. */
function exactRevision(options: ListOptions, version: number, selection: Selection): number | undefined {
  if (options.match === "Exact") return version;
  const legacy = options.match === "" && options.limit > 0 && version > 0 && selection.name === undefined;
  return legacy ? version : undefined;
}

function readSnapshot(
  context: ApiContext,
  kind: ResourceKind,
  selection: Selection,
  from: { readonly token: ContinueToken | undefined; readonly atRevision: number | undefined },
): Snapshot {
  const { token, atRevision } = from;
  const { name, namespace } = selection;
  const { store } = context;
  if (atRevision === undefined && name !== undefined && (namespace !== undefined || !kind.namespaced)) {
    const found = store.get(kind.storage, keyOf(kind, namespace, name));
    return { items: found === undefined ? [] : [found], revision: store.revision() };
  }
  try {
    return store.list(kind.storage, {
      ...(namespace === undefined ? {} : { namespace }),
      ...(atRevision === undefined ? {} : { atRevision }),
    });
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    if (token === undefined) throw expired("The resourceVersion for the provided list is too old.");
    throw expired(expiredContinue, formatContinue({ revision: undefined, start: token.start }));
  }
}

const expiredContinue =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

/** A page that is full ends there, whether or not anything that follows is selected: nobody looks that far. */
function cutPage(
  snapshot: Snapshot,
  selection: Selection,
  how: { readonly token: ContinueToken | undefined; readonly limit: number },
): Page {
  const all = snapshot.items;
  const start = how.token === undefined ? 0 : lowerBound(all, how.token.start);
  const whole = selection.isAll && start === 0 && (how.limit === 0 || how.limit >= all.length);
  if (whole) return { items: all, revision: snapshot.revision, continueToken: "", remaining: undefined };
  const items: StoredObject[] = [];
  let index = start;
  for (; index < all.length && (how.limit === 0 || items.length < how.limit); index += 1) {
    const item = all[index];
    if (item !== undefined && selection.matches(item.object)) items.push(item);
  }
  const last = all[index - 1];
  const more = index < all.length && last !== undefined;
  return {
    items,
    revision: snapshot.revision,
    // The first key after the last one: nothing sorts between them.
    continueToken: more ? formatContinue({ revision: snapshot.revision, start: `${last.key}\0` }) : "",
    remaining: more && selection.isAll ? all.length - index : undefined,
  };
}
