/**
 * The lines of watch streams, kept while they are likely to be wanted again: all watchers of a resource get an event within
 * a moment, and share its bytes. Bounded; what falls out is made again.
 */
import { type EventLine, eventLine } from "../http/event-line.ts";
import { type Encoding, encodingId, type StoredObject, type WatchEventType } from "../storage/stored-object.ts";

export type LineForm = "object" | "metadata";

const mostObjects = 512;
/** Larger lines are made anew for each watcher rather than kept. */
const mostLineBytes = 256 * 1024;

export class EventLines {
  readonly #lines = new Map<StoredObject, Map<string, EventLine>>();

  /** Newline included. */
  get(type: WatchEventType, stored: StoredObject, form: LineForm, encoding: Encoding): EventLine {
    const id = form === "metadata" ? `${type} metadata` : `${type} ${encodingId(encoding)}`;
    const known = this.#lines.get(stored)?.get(id);
    if (known !== undefined) return known;
    const json = form === "metadata" ? stored.metadataJson() : stored.json(encoding);
    const line = eventLine(`{"type":"${type}","object":${json}}\n`);
    if (line.framed.length <= mostLineBytes) this.#keep(stored, id, line);
    return line;
  }

  #keep(stored: StoredObject, id: string, line: EventLine): void {
    const lines = this.#lines.get(stored);
    if (lines !== undefined) {
      lines.set(id, line);
      return;
    }
    this.#lines.set(stored, new Map([[id, line]]));
    if (this.#lines.size <= mostObjects) return;
    const [oldest] = this.#lines.keys();
    if (oldest !== undefined) this.#lines.delete(oldest);
  }
}
