/**
 * WATCH: a stream of events from a resource version on, or from the present state. Events are written in batches of one
 * turn of the event loop; a client that reads too slowly is cut off and starts again. Effects: the response only.
 */
import type { Exchange } from "../http/exchange.ts";
import type { ApiContext } from "../operations/context.ts";
import {
  buildTable,
  columnDefinitions,
  type IncludeObject,
  parseIncludeObject,
  partialMetadata,
} from "../printing/table.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { badRequest, expired, type Status } from "../status.ts";
import { CompactedError, type StoreEvent } from "../storage/store.ts";
import type { StoredObject, WatchEventType } from "../storage/stored-object.ts";
import { checkNotFuture, parseResourceVersion } from "./resource-version.ts";
import { parseSelection, type Selection } from "./selection.ts";

const maxBufferedBytes = 16 * 1024 * 1024;
const bookmarkIntervalMs = 60_000;
const defaultTimeoutSeconds = 1800;

export function handleWatch(
  context: ApiContext,
  exchange: Exchange,
  kind: ResourceKind,
  namespace: string | undefined,
): void {
  const selection = parseSelection(exchange.query, kind, namespace);
  const start = planStart(context, exchange.query);
  const stream = new WatchStream(context, exchange, kind);
  if (start.replayState) sendState(context, stream, selection);
  if (start.endMark) stream.bookmark(start.since, true);
  try {
    const stop = context.store.watch(kind.storage, start.since, (event) => forward(stream, selection, event));
    stream.onClose(stop);
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    stream.fail(expired(error.message).status);
  }
}

interface WatchStart {
  readonly since: number;
  readonly replayState: boolean;
  readonly endMark: boolean;
}

/** No version, or 0, means: the present state first. `sendInitialEvents` asks for that explicitly and marks its end. */
function planStart(context: ApiContext, query: URLSearchParams): WatchStart {
  const version = parseResourceVersion(query.get("resourceVersion"));
  const initial = query.get("sendInitialEvents");
  if (version !== undefined) checkNotFuture(version, context.store.revision());
  if (initial === null) {
    if (query.get("resourceVersionMatch"))
      throw badRequest("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    const fromNow = version === undefined || version === 0;
    return { since: fromNow ? context.store.revision() : version, replayState: fromNow, endMark: false };
  }
  if (query.get("resourceVersionMatch") !== "NotOlderThan") {
    throw badRequest('sendInitialEvents requires setting resourceVersionMatch to "NotOlderThan"');
  }
  const wanted = initial === "true";
  if (!wanted) return { since: version ?? context.store.revision(), replayState: false, endMark: false };
  return { since: context.store.revision(), replayState: true, endMark: query.get("allowWatchBookmarks") === "true" };
}

function sendState(context: ApiContext, stream: WatchStream, selection: Selection): void {
  const scope = selection.namespace === undefined ? {} : { namespace: selection.namespace };
  for (const item of context.store.list(stream.kind.storage, scope).items) {
    if (selection.matches(item.object)) stream.event("ADDED", item);
  }
}

/** An object that starts or stops matching the selection is added or deleted, as far as this client can see. */
function forward(stream: WatchStream, selection: Selection, event: StoreEvent): void {
  const now = event.type !== "DELETED" && selection.matches(event.current.object);
  const before = event.previous !== undefined && selection.matches(event.previous.object);
  stream.seen(event.revision);
  if (now) stream.event(before ? "MODIFIED" : "ADDED", event.current);
  else if (before) stream.event("DELETED", event.current);
}

class WatchStream {
  readonly kind: ResourceKind;
  readonly #exchange: Exchange;
  readonly #context: ApiContext;
  readonly #include: IncludeObject;
  readonly #wantsBookmarks: boolean;
  readonly #cleanups: Array<() => void> = [];
  #pending: string[] = [];
  #revision: number;
  #closed = false;
  #sentColumns = false;

  constructor(context: ApiContext, exchange: Exchange, kind: ResourceKind) {
    this.kind = kind;
    this.#context = context;
    this.#exchange = exchange;
    this.#include = parseIncludeObject(exchange.query.get("includeObject"));
    this.#wantsBookmarks = exchange.query.get("allowWatchBookmarks") === "true";
    this.#revision = context.store.revision();
    exchange.response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
    exchange.response.flushHeaders();
    this.#schedule();
  }

  /** Registers what to do when the stream ends; at once if it has. */
  onClose(cleanup: () => void): void {
    if (this.#closed) cleanup();
    else this.#cleanups.push(cleanup);
  }

  seen(revision: number): void {
    this.#revision = revision;
  }

  event(type: WatchEventType, stored: StoredObject): void {
    this.#write(this.#line(type, stored));
  }

  bookmark(revision: number, endsInitialEvents = false): void {
    const annotations = endsInitialEvents ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
    const metadata = { resourceVersion: String(revision), ...annotations };
    const object = { kind: this.kind.kind, apiVersion: this.kind.apiVersion, metadata };
    this.#write(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
  }

  fail(status: Status): void {
    this.#write(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    for (const cleanup of this.#cleanups) cleanup();
    this.#exchange.response.end();
  }

  #schedule(): void {
    const seconds = Number(this.#exchange.query.get("timeoutSeconds") ?? 0) || defaultTimeoutSeconds;
    const timeout = setTimeout(() => this.#end(), seconds * 1000);
    this.#cleanups.push(() => clearTimeout(timeout));
    if (this.#wantsBookmarks) {
      const timer = setInterval(() => this.bookmark(this.#context.store.revision()), bookmarkIntervalMs);
      this.#cleanups.push(() => clearInterval(timer));
    }
    const onAbort = () => this.close();
    this.#exchange.signal.addEventListener("abort", onAbort, { once: true });
    this.#cleanups.push(() => this.#exchange.signal.removeEventListener("abort", onAbort));
  }

  /** The time-out is a clean end; a last bookmark lets the client go on without a new list. */
  #end(): void {
    if (this.#wantsBookmarks) this.bookmark(this.#context.store.revision());
    this.close();
  }

  #line(type: WatchEventType, stored: StoredObject): string {
    const { form } = this.#exchange;
    if (form === "object") return stored.eventLine(type, this.kind);
    if (form === "metadata") return `${JSON.stringify({ type, object: partialMetadata(stored.object) })}\n`;
    return `${JSON.stringify({ type, object: this.#table(stored) })}\n`;
  }

  /** Only the first table of a stream carries the column definitions. */
  #table(stored: StoredObject): object {
    const request = { kind: this.kind, include: this.#include, nowMs: this.#context.clock.now() };
    const table = buildTable([stored], request, { resourceVersion: stored.object.metadata.resourceVersion });
    const definitions = this.#sentColumns ? [] : columnDefinitions(this.kind);
    this.#sentColumns = true;
    return { ...table, columnDefinitions: definitions };
  }

  #write(line: string): void {
    if (this.#closed) return;
    if (this.#pending.length === 0) queueMicrotask(() => this.#flush());
    this.#pending.push(line);
  }

  #flush(): void {
    if (this.#closed || this.#pending.length === 0) return;
    const text = this.#pending.join("");
    this.#pending = [];
    this.#exchange.response.write(text);
    if (this.#exchange.response.writableLength <= maxBufferedBytes) return;
    this.#context.logger.warn("watch cut off: the client reads too slowly", {
      resource: this.kind.plural,
      revision: this.#revision,
    });
    this.close();
    this.#exchange.response.destroy();
  }
}
