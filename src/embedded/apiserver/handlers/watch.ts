/**
 * WATCH: where a stream starts (from a resource version, or with the state first), and which events of the store its
 * client sees. What is written when is in `watch-stream.ts`. Effects: the response only.
 */
import type { Exchange } from "../http/exchange.ts";
import type { ApiContext } from "../operations/context.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { expired, StatusError } from "../status.ts";
import { CompactedError, type StoreEvent } from "../storage/store.ts";
import { StoredObject } from "../storage/stored-object.ts";
import type { ListOptions } from "./list-options.ts";
import { parseResourceVersion, untilRevision } from "./resource-version.ts";
import { parseSelection, type Selection } from "./selection.ts";
import { WatchStream } from "./watch-stream.ts";

/** What of a kind is watched; one object where the path names it. */
export interface WatchTarget {
  readonly kind: ResourceKind;
  readonly namespace: string | undefined;
  readonly name?: string | undefined;
}

export async function handleWatch(
  context: ApiContext,
  exchange: Exchange,
  target: WatchTarget,
  options: ListOptions,
): Promise<void> {
  const { kind } = target;
  const selection = parseSelection(exchange.query, kind, target.namespace, target.name);
  const version = parseResourceVersion(options.resourceVersion);
  const failed = await reach(context, exchange, options, version);
  if (exchange.life.signal.aborted) return;
  const stream = new WatchStream(context, exchange, kind, options);
  if (failed !== undefined) return stream.fail(failed.status);
  start(context, stream, { kind, selection, options, version });
}

/** Without a version, or from 0, the state comes first: that is what `sendInitialEvents` asks for in so many words. */
function wantsState(options: ListOptions): boolean {
  return options.sendInitialEvents ?? ["", "0"].includes(options.resourceVersion);
}

/** The state must be as new as asked for. @returns the failure, which goes into the stream as any after this point */
async function reach(
  context: ApiContext,
  exchange: Exchange,
  options: ListOptions,
  version: number,
): Promise<StatusError | undefined> {
  if (!wantsState(options)) return undefined;
  try {
    await untilRevision(context.store, version, exchange.life);
    return undefined;
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
}

interface Start {
  readonly kind: ResourceKind;
  readonly selection: Selection;
  readonly options: ListOptions;
  readonly version: number;
}

function start(context: ApiContext, stream: WatchStream, { kind, selection, options, version }: Start): void {
  const { store } = context;
  const since = wantsState(options) || version === 0 ? store.revision() : version;
  if (wantsState(options)) {
    const scope = selection.namespace === undefined ? {} : { namespace: selection.namespace };
    const state = store.list(kind.storage, scope).items;
    stream.state(selection.isAll ? state : state.filter((item) => selection.matches(item.object)));
    if (options.allowWatchBookmarks) stream.bookmark(since, true);
  }
  try {
    stream.onClose(store.watch(kind.storage, since, (event) => forward(stream, selection, { event, since })));
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    stream.fail(expired(error.message).status);
  }
}

/** An object that starts or stops matching the selection is added or deleted, as far as this client can see. */
function forward(stream: WatchStream, selection: Selection, at: { event: StoreEvent; since: number }): void {
  const { event, since } = at;
  // A client may wait for a version that is still to come.
  if (event.revision <= since) return;
  const now = event.type !== "DELETED" && selection.matches(event.current.object);
  const before = event.previous !== undefined && selection.matches(event.previous.object);
  if (now) stream.event(before ? "MODIFIED" : "ADDED", event.current);
  else if (before) stream.event("DELETED", lastSeen(event));
}

const lastSeenOf = new WeakMap<StoreEvent, StoredObject>();

/** What the client saw last, under the version of the event; made once for all who watch. */
function lastSeen(event: StoreEvent): StoredObject {
  if (event.type === "DELETED" || event.previous === undefined) return event.current;
  const known = lastSeenOf.get(event);
  if (known !== undefined) return known;
  const { key, object } = event.previous;
  const metadata = { ...object.metadata, resourceVersion: String(event.revision) };
  const seen = new StoredObject(key, { ...object, metadata }, event.revision);
  lastSeenOf.set(event, seen);
  return seen;
}
