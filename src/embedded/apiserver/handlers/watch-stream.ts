/**
 * One client's watch: what it is still to be sent, in order, and the pace at which it reads. The state is turned to text
 * only as fast as it goes out; events wait in a bounded queue, and a client that lets it fill is cut off (it starts again
 * with a list). Nothing is sent before it is durable. Effects: the response only.
 */
import { type EventLine, eventLine } from "../http/event-line.ts";
import { EventWriter } from "../http/event-writer.ts";
import type { Exchange } from "../http/exchange.ts";
import type { ApiContext } from "../operations/context.ts";
import { buildTable, type IncludeObject, parseIncludeObject } from "../printing/table.ts";
import type { ResourceKind } from "../registry/kind.ts";
import type { Status } from "../status.ts";
import { StoredObject, type WatchEventType } from "../storage/stored-object.ts";
import { EventLines } from "./event-lines.ts";
import type { ListOptions } from "./list-options.ts";

const mostQueuedEvents = 10_000;
const chunkBytes = 256 * 1024;
const bookmarkIntervalMs = 60_000;
/** A last bookmark comes this long before the end, so that the client can go on where it was. */
const bookmarkBeforeEndMs = 2_000;
const defaultTimeoutSeconds = 1_800;
/** Longer ones would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Something to send: an event of an object, or a line that is ready. */
type Entry = readonly [type: WatchEventType | "BOOKMARK", stored: StoredObject] | EventLine;

const partialType = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" };
const eventLines = new EventLines();

/** What comes in one turn of the event loop goes out in one piece; one timer serves all streams that got something. */
let woken: WatchStream[] = [];

function pumpWoken(): void {
  const streams = woken;
  woken = [];
  for (const stream of streams) stream.pump();
}

export class WatchStream {
  readonly #context: ApiContext;
  readonly #exchange: Exchange;
  readonly #writer: EventWriter;
  readonly #kind: ResourceKind;
  readonly #include: IncludeObject;
  readonly #cleanups: Array<() => void> = [];
  /** Read from `#next`; what was read is cut off at its end or in blocks. */
  #queue: Entry[] = [];
  #next = 0;
  /** Entries that ever came, that went out, and that may go out; -1 until the state may. */
  #pushed = 0;
  #taken = 0;
  #durable = -1;
  #awaiting = false;
  /** The state that comes before everything in the queue. */
  #state: Iterator<StoredObject> | undefined;
  #scheduled = false;
  #ending = false;
  #closed = false;
  #sentColumns = false;

  constructor(context: ApiContext, exchange: Exchange, kind: ResourceKind, options: ListOptions) {
    this.#context = context;
    this.#exchange = exchange;
    this.#kind = kind;
    this.#include = parseIncludeObject(exchange.query.get("includeObject"));
    exchange.response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
    exchange.response.flushHeaders();
    this.#writer = new EventWriter(exchange.response);
    this.#schedule(options);
  }

  /** Registers what to do when the stream ends; at once if it has. */
  onClose(cleanup: () => void): void {
    if (this.#closed) cleanup();
    else this.#cleanups.push(cleanup);
  }

  /** To be called before anything else is sent. */
  state(items: readonly StoredObject[]): void {
    this.#state = items[Symbol.iterator]();
    this.#wake();
  }

  event(type: WatchEventType, stored: StoredObject): void {
    this.#push([type, stored]);
  }

  bookmark(revision: number, endsInitialEvents = false): void {
    const annotations = endsInitialEvents ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
    const metadata = { resourceVersion: String(revision), ...annotations };
    const { kind, apiVersion } = this.#kind;
    const { form } = this.#exchange;
    if (form === "table") {
      this.#push([
        "BOOKMARK",
        new StoredObject("", { apiVersion, kind, metadata: { name: "", ...metadata } }, revision),
      ]);
      return;
    }
    const type = form === "object" ? { kind, apiVersion } : partialType;
    this.#push(lineOf("BOOKMARK", { ...type, metadata }));
  }

  /** An error ends a watch. */
  fail(status: Status): void {
    this.#push(lineOf("ERROR", status));
    this.#ending = true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const cleanup of this.#cleanups) cleanup();
    this.#queue = [];
    this.#state = undefined;
    this.#exchange.response.end();
  }

  #schedule({ timeoutSeconds, allowWatchBookmarks }: ListOptions): void {
    // Spread, as Kubernetes does, so that clients that came together do not come again together.
    const seconds = timeoutSeconds || defaultTimeoutSeconds * (1 + Math.random());
    const timeoutMs = Math.min(Math.max(seconds, 0) * 1000, longestTimerMs);
    const timeout = setTimeout(() => this.#end(), timeoutMs);
    this.#cleanups.push(() => clearTimeout(timeout));
    if (allowWatchBookmarks) this.#scheduleBookmark(performance.now() + timeoutMs - bookmarkBeforeEndMs);
    const onAbort = () => this.close();
    const { signal } = this.#exchange.life;
    signal.addEventListener("abort", onAbort, { once: true });
    this.#cleanups.push(
      () => signal.removeEventListener("abort", onAbort),
      this.#writer.onDrain(() => this.#pump()),
    );
  }

  /** What is ready still goes out. */
  #end(): void {
    this.#pump();
    this.close();
  }

  /** Every minute, and once shortly before the end. */
  #scheduleBookmark(lastAt: number): void {
    const left = lastAt - performance.now();
    if (left <= 0) return;
    const timer = setTimeout(
      () => {
        this.bookmark(this.#context.store.revision());
        // A timer may fire a moment early: what was meant to be the last bookmark is not followed by another.
        if (left > bookmarkIntervalMs) this.#scheduleBookmark(lastAt);
      },
      Math.min(bookmarkIntervalMs, left),
    );
    this.#cleanups.push(() => clearTimeout(timer));
  }

  #push(entry: Entry): void {
    if (this.#closed || this.#ending) return;
    this.#queue.push(entry);
    this.#pushed += 1;
    if (this.#pushed - this.#taken > mostQueuedEvents) this.#cutOff();
    else this.#wake();
  }

  #wake(): void {
    if (this.#scheduled || this.#writer.isFull) return;
    this.#scheduled = true;
    if (woken.length === 0) setImmediate(pumpWoken);
    woken.push(this);
  }

  /** Called by the timer that all streams share. */
  pump(): void {
    this.#scheduled = false;
    this.#pump();
  }

  #pump(): void {
    if (this.#context.store.isFlushed) this.#durable = this.#pushed;
    else if (this.#durable < this.#pushed) this.#awaitDurable();
    while (!this.#closed && !this.#writer.isFull) {
      const lines = this.#nextLines();
      if (lines.length === 0) break;
      this.#writer.write(lines);
    }
    if (this.#ending && this.#isEmpty) this.close();
  }

  /** What is here now may go once the store is flushed, even if more has been written by then. */
  #awaitDurable(): void {
    if (this.#awaiting) return;
    this.#awaiting = true;
    const upTo = this.#pushed;
    this.#context.store.flushed().then(
      () => {
        this.#awaiting = false;
        this.#durable = Math.max(this.#durable, upTo);
        this.#pump();
      },
      // Nothing more can be stored, which the server has logged: what was not is not shown to anybody.
      () => this.close(),
    );
  }

  get #isEmpty(): boolean {
    return this.#state === undefined && this.#taken === this.#pushed;
  }

  #nextLines(): readonly EventLine[] {
    const lines: EventLine[] = [];
    let size = 0;
    while (size < chunkBytes) {
      const entry = this.#take();
      if (entry === undefined) break;
      const line = "framed" in entry ? entry : this.#line(entry[0], entry[1]);
      lines.push(line);
      size += line.framed.length;
    }
    return lines;
  }

  #take(): Entry | undefined {
    if (this.#durable < 0) return undefined;
    const first = this.#state?.next();
    if (first?.done === false) return ["ADDED", first.value];
    this.#state = undefined;
    if (this.#taken >= this.#durable) return undefined;
    const entry = this.#queue[this.#next];
    this.#next += 1;
    this.#taken += 1;
    if (this.#taken === this.#pushed || this.#next === mostQueuedEvents) {
      this.#queue = this.#queue.slice(this.#next);
      this.#next = 0;
    }
    return entry;
  }

  #line(type: WatchEventType | "BOOKMARK", stored: StoredObject): EventLine {
    const { form } = this.#exchange;
    if (form === "table" || type === "BOOKMARK") return lineOf(type, this.#table(stored));
    return eventLines.get(type, stored, form === "object" ? "object" : "metadata", this.#kind);
  }

  /** Only the first table of a stream carries the column definitions. */
  #table(stored: StoredObject): object {
    const request = { kind: this.#kind, include: this.#include, nowMs: this.#context.clock.now() };
    const table = buildTable([stored], request, { resourceVersion: stored.object.metadata.resourceVersion });
    if (this.#sentColumns) return { ...table, columnDefinitions: null };
    this.#sentColumns = true;
    return table;
  }

  #cutOff(): void {
    this.#context.logger.warn("watch cut off: the client reads too slowly", { resource: this.#kind.plural });
    this.close();
    this.#exchange.response.destroy();
  }
}

function lineOf(type: string, object: object): EventLine {
  return eventLine(`${JSON.stringify({ type, object })}\n`);
}
