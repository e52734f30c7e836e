/** The body of a list in the form the client asked for, joined piece by piece from the kept JSON of each object. Pure. */
import type { Exchange } from "../http/exchange.ts";
import { buildTable, parseIncludeObject } from "../printing/table.ts";
import { apiVersionOf, type ResourceKind } from "../registry/kind.ts";
import { failure } from "../status.ts";
import type { StoredObject } from "../storage/stored-object.ts";

export interface Page {
  readonly items: readonly StoredObject[];
  readonly revision: number;
  readonly continueToken: string;
  readonly remaining: number | undefined;
}

/** A list cannot be shown as one object's metadata. Said before anything is read. */
export function checkListForm(exchange: Exchange, kind: ResourceKind): void {
  if (exchange.form === "metadata")
    throw failure(
      406,
      "NotAcceptable",
      `you requested PartialObjectMetadata, but the requested object is a list (${kind.listKind})`,
    );
  if (exchange.form === "table") parseIncludeObject(exchange.query.get("includeObject"));
}

/** About as much as is on its way to the client at once. */
const pieceChars = 64 * 1024;

/** In pieces, so that no list is ever in memory as one text, and what is encoded is still in the processor's cache. */
export function* listBody(exchange: Exchange, kind: ResourceKind, page: Page, nowMs: number): Generator<string> {
  const meta = {
    resourceVersion: String(page.revision),
    ...(page.continueToken === "" ? {} : { continue: page.continueToken }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  if (exchange.form === "table") {
    const include = parseIncludeObject(exchange.query.get("includeObject"));
    yield JSON.stringify(buildTable(page.items, { kind, include, nowMs }, meta));
    return;
  }
  const isMetadata = exchange.form === "metadata-list";
  const type = isMetadata
    ? { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1" }
    : { kind: kind.listKind, apiVersion: apiVersionOf(kind.group, kind.version) };
  let items: string[] = [];
  let size = 0;
  let before = `${JSON.stringify({ ...type, metadata: meta }).slice(0, -1)},"items":[`;
  for (const item of page.items) {
    const json = isMetadata ? item.metadataJson() : item.itemJson(kind);
    items.push(json);
    size += json.length;
    if (size < pieceChars) continue;
    yield before + items.join(",");
    before = ",";
    items = [];
    size = 0;
  }
  yield `${items.length === 0 && before === "," ? "" : before}${items.join(",")}]}`;
}
