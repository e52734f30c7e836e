/** Sends one object in the form the client asked for. */

import type { Exchange } from "../http/exchange.ts";
import { addWarnings, sendJson } from "../http/respond.ts";
import { buildTable, parseIncludeObject } from "../printing/table.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { failure } from "../status.ts";
import type { StoredObject } from "../storage/stored-object.ts";

export interface Presentation {
  readonly code: number;
  readonly nowMs: number;
  readonly warnings?: readonly string[];
}

export function sendObject(exchange: Exchange, kind: ResourceKind, stored: StoredObject, how: Presentation): void {
  addWarnings(exchange.response, how.warnings ?? []);
  sendJson(exchange.response, how.code, objectBody(exchange, kind, stored, how.nowMs));
}

function objectBody(exchange: Exchange, kind: ResourceKind, stored: StoredObject, nowMs: number): string {
  if (exchange.form === "metadata") return stored.metadataJson();
  if (exchange.form === "metadata-list")
    throw failure(
      406,
      "NotAcceptable",
      `you requested PartialObjectMetadataList, but the requested object is not a list (${kind.kind})`,
    );
  if (exchange.form !== "table") return stored.json(kind);
  const include = parseIncludeObject(exchange.query.get("includeObject"));
  const meta = { resourceVersion: stored.object.metadata.resourceVersion ?? "" };
  return JSON.stringify(buildTable([stored], { kind, include, nowMs }, meta));
}
