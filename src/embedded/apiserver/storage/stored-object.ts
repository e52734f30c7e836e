/**
 * One revision of one object, with its serialised forms kept so that lists and watch fan-out never serialise twice.
 * Immutable: a change makes a new StoredObject.
 */
import type { KubeObject } from "../object.ts";

/** How an object of a storage leaves the server under one group version. */
export interface Encoding {
  readonly apiVersion: string;
  readonly kind: string;
  /** Built-in kinds leave apiVersion and kind out of list items, custom resources keep them. */
  readonly builtin: boolean;
  readonly fromStorage?: (object: KubeObject) => KubeObject;
  /** Changes when `fromStorage` does, so that no text is shown that was made the old way. */
  readonly revision?: string;
}

function idOf(encoding: Encoding): string {
  return encoding.revision === undefined ? encoding.apiVersion : `${encoding.apiVersion} ${encoding.revision}`;
}

export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED";

export class StoredObject {
  readonly key: string;
  readonly object: KubeObject;
  readonly revision: number;
  readonly #json = new Map<string, string>();
  readonly #lines = new Map<string, string>();

  constructor(key: string, object: KubeObject, revision: number) {
    this.key = key;
    this.object = object;
    this.revision = revision;
  }

  json(encoding: Encoding): string {
    const known = this.#json.get(idOf(encoding));
    if (known !== undefined) return known;
    const text = encode(this.object, encoding);
    this.#json.set(idOf(encoding), text);
    return text;
  }

  itemJson(encoding: Encoding): string {
    const text = this.json(encoding);
    return encoding.builtin ? `{${text.slice(headerOf(encoding).length)}` : text;
  }

  /** A line of a watch stream, newline included. */
  eventLine(type: WatchEventType, encoding: Encoding): string {
    const id = `${type} ${idOf(encoding)}`;
    const known = this.#lines.get(id);
    if (known !== undefined) return known;
    const line = `{"type":"${type}","object":${this.json(encoding)}}\n`;
    this.#lines.set(id, line);
    return line;
  }
}

function headerOf(encoding: Encoding): string {
  return `{"kind":${JSON.stringify(encoding.kind)},"apiVersion":${JSON.stringify(encoding.apiVersion)},`;
}

/** Kind and apiVersion come first, so that list items can be cut from the same text. */
export function encode(object: KubeObject, encoding: Encoding): string {
  const shown = encoding.fromStorage === undefined ? object : encoding.fromStorage(object);
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = shown;
  return `${headerOf(encoding)}${JSON.stringify({ metadata, ...rest }).slice(1)}`;
}
