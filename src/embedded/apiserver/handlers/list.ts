/**
 * LIST: selection, paging by continue token, consistency by resourceVersion. The body is joined from the cached JSON of
 * each object. Effects: the response only.
 */
import type { Exchange } from "../http/exchange.ts";
import { sendJson } from "../http/respond.ts";
import type { ApiContext } from "../operations/context.ts";
import { buildTable, parseIncludeObject, partialMetadata } from "../printing/table.ts";
import { apiVersionOf, type ResourceKind } from "../registry/kind.ts";
import { badRequest, expired } from "../status.ts";
import { lowerBound } from "../storage/resource-table.ts";
import { CompactedError, type Snapshot } from "../storage/store.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { checkNotFuture, parseResourceVersion } from "./resource-version.ts";
import { parseSelection } from "./selection.ts";

interface Page {
  readonly items: readonly StoredObject[];
  readonly revision: number;
  readonly continueToken: string;
  readonly remaining: number | undefined;
}

export function handleList(
  context: ApiContext,
  exchange: Exchange,
  kind: ResourceKind,
  namespace: string | undefined,
): void {
  const page = readPage(context, exchange.query, kind, namespace);
  sendJson(exchange.response, 200, listBody(exchange, kind, page, context.clock.now()));
}

function readPage(
  context: ApiContext,
  query: URLSearchParams,
  kind: ResourceKind,
  namespace: string | undefined,
): Page {
  const selection = parseSelection(query, kind, namespace);
  const limit = parseLimit(query.get("limit"));
  const token = parseContinue(query.get("continue"));
  const snapshot = readSnapshot(context, query, kind, { namespace, token });
  const start = token === undefined ? 0 : lowerBound(snapshot.items, token.start);
  const items: StoredObject[] = [];
  let index = start;
  for (; index < snapshot.items.length; index += 1) {
    const item = snapshot.items[index];
    if (item === undefined || !selection.matches(item.object)) continue;
    if (items.length === limit) break;
    items.push(item);
  }
  const next = snapshot.items[index];
  const more = next !== undefined;
  return {
    items,
    revision: snapshot.revision,
    continueToken: more ? formatContinue({ revision: snapshot.revision, start: next.key }) : "",
    remaining: more && selection.isAll ? snapshot.items.length - index : undefined,
  };
}

function readSnapshot(
  context: ApiContext,
  query: URLSearchParams,
  kind: ResourceKind,
  where: { readonly namespace: string | undefined; readonly token: ContinueToken | undefined },
): Snapshot {
  const atRevision = where.token?.revision ?? exactRevision(context, query, where.token);
  const scope = where.namespace === undefined ? {} : { namespace: where.namespace };
  try {
    return context.store.list(kind.storage, atRevision === undefined ? scope : { ...scope, atRevision });
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    if (where.token === undefined) throw expired(error.message);
    const fresh = formatContinue({ revision: undefined, start: where.token.start });
    throw expired(
      "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
      fresh,
    );
  }
}

/** Only `resourceVersionMatch=Exact` pins a revision; every other version is satisfied by the present, unless it is in the future. */
function exactRevision(
  context: ApiContext,
  query: URLSearchParams,
  token: ContinueToken | undefined,
): number | undefined {
  const match = query.get("resourceVersionMatch") ?? "";
  const version = parseResourceVersion(query.get("resourceVersion"));
  if (match !== "" && match !== "Exact" && match !== "NotOlderThan") {
    throw badRequest(`resourceVersionMatch must be Exact or NotOlderThan, got ${JSON.stringify(match)}`);
  }
  if (match !== "" && version === undefined)
    throw badRequest("resourceVersionMatch is forbidden unless resourceVersion is provided");
  if (match === "Exact" && version === 0)
    throw badRequest('resourceVersionMatch "Exact" is forbidden for resourceVersion "0"');
  if (token !== undefined && version !== undefined && version !== 0)
    throw badRequest("specifying resource version is not allowed when using continue");
  if (version !== undefined) checkNotFuture(version, context.store.revision());
  return match === "Exact" ? version : undefined;
}

function parseLimit(value: string | null): number {
  if (value === null || value === "" || value === "0") return Number.POSITIVE_INFINITY;
  const limit = Number(value);
  if (!Number.isInteger(limit) || limit < 0)
    throw badRequest(`limit must be a whole number of at least 0, got ${JSON.stringify(value)}`);
  return limit;
}

interface ContinueToken {
  /** Undefined after an expired token was renewed: go on from the present. */
  readonly revision: number | undefined;
  readonly start: string;
}

function formatContinue(token: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: token.revision ?? -1, start: token.start })).toString(
    "base64url",
  );
}

function parseContinue(text: string | null): ContinueToken | undefined {
  if (text === null || text === "") return undefined;
  try {
    const parsed = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as { rv?: unknown; start?: unknown };
    if (typeof parsed.rv !== "number" || typeof parsed.start !== "string") throw new Error("fields are missing");
    return { revision: parsed.rv < 0 ? undefined : parsed.rv, start: parsed.start };
  } catch {
    throw badRequest("continue key is not valid: use a token that this server gave, or start a new list");
  }
}

function listBody(exchange: Exchange, kind: ResourceKind, page: Page, nowMs: number): string {
  const meta = {
    resourceVersion: String(page.revision),
    ...(page.continueToken === "" ? {} : { continue: page.continueToken }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  if (exchange.form === "table") {
    const include = parseIncludeObject(exchange.query.get("includeObject"));
    return JSON.stringify(buildTable(page.items, { kind, include, nowMs }, meta));
  }
  if (exchange.form === "metadata") {
    const items = page.items.map((item) => partialMetadata(item.object));
    return JSON.stringify({ kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1", metadata: meta, items });
  }
  const items = page.items.map((item) => item.itemJson(kind)).join(",");
  const head = JSON.stringify({
    kind: kind.listKind,
    apiVersion: apiVersionOf(kind.group, kind.version),
    metadata: meta,
  });
  return `${head.slice(0, -1)},"items":[${items}]}`;
}
