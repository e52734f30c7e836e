/**
 * One watch request as a stream of events. An ERROR event inside the stream is thrown as the KubeApiError it is, whatever
 * its code, so that no caller can pass over one. Ends without an error when the server closes it cleanly.
 */
import { KubeApiError, type KubeStatus, parseRetryAfterMs } from "./api-error.ts";
import type { Selection } from "./list-pages.ts";
import type { KubeObject } from "./object.ts";
import { collectionPath, type ResourceType } from "./resource.ts";
import { parseJson } from "./response.ts";
import type { Transport } from "./transport.ts";

export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";

export interface WatchEvent<T> {
  readonly type: WatchEventType;
  /** A BOOKMARK's object has metadata only. */
  readonly object: T;
}

export interface WatchOptions extends Selection {
  /** Events after this version. Left out: the present state first, as ADDED, from any point in time. */
  readonly resourceVersion?: string | undefined;
  /** Asks for the present state as ADDED events, then a bookmark marked as its end (WatchList). */
  readonly sendInitialEvents?: boolean | undefined;
  /** The server closes the watch after so long. */
  readonly timeoutSeconds?: number | undefined;
  readonly stallMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export async function* watchCollection<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: WatchOptions = {},
): AsyncGenerator<WatchEvent<T>> {
  const path = collectionPath(type, options.namespace);
  const lines = transport.stream({
    path,
    query: {
      watch: true,
      allowWatchBookmarks: true,
      labelSelector: options.labelSelector || undefined,
      fieldSelector: options.fieldSelector || undefined,
      resourceVersion: options.resourceVersion,
      sendInitialEvents: options.sendInitialEvents,
      resourceVersionMatch: options.sendInitialEvents ? "NotOlderThan" : undefined,
      timeoutSeconds: options.timeoutSeconds,
    },
    signal: options.signal,
    stallMs: options.stallMs,
  });
  for await (const line of lines) yield parseEvent<T>(line, `watch of ${path}`);
}

function parseEvent<T>(line: string, request: string): WatchEvent<T> {
  const event = parseJson(line, request) as WatchEvent<T> | { type: "ERROR"; object: KubeStatus };
  if (event.type !== "ERROR") return event;
  const body = event.object;
  throw new KubeApiError({ request, status: body.code ?? 500, body, retryAfterMs: parseRetryAfterMs(undefined, body) });
}

const initialEventsEnd = "k8s.io/initial-events-end";

/** The bookmark that ends the initial events of a WatchList. */
export function isInitialEventsEnd(event: WatchEvent<KubeObject>): boolean {
  return event.type === "BOOKMARK" && event.object.metadata.annotations?.[initialEventsEnd] === "true";
}
