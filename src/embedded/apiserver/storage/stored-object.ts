/**
 * One revision of one object, with its serialised form kept so that answers, lists, watch fan-out and the journal never
 * serialise twice. Immutable: a change makes a new StoredObject.
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

export function encodingId(encoding: Encoding): string {
  return encoding.revision === undefined ? encoding.apiVersion : `${encoding.apiVersion} ${encoding.revision}`;
}

export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED";

const metadataStart = '"metadata":'.length;

export class StoredObject {
  readonly key: string;
  readonly object: KubeObject;
  readonly revision: number;
  /** `"metadata":{...},...}`, what follows kind and apiVersion: all encodings that do not convert have it in common. */
  #body: string | undefined;
  #metadataLength = 0;
  /** Bodies of encodings that convert, by their ids. Few objects have any. */
  #converted: Map<string, string> | undefined;

  constructor(key: string, object: KubeObject, revision: number) {
    this.key = key;
    this.object = object;
    this.revision = revision;
  }

  json(encoding: Encoding): string {
    return headerOf(encoding) + this.#bodyFor(encoding);
  }

  itemJson(encoding: Encoding): string {
    return encoding.builtin ? `{${this.#bodyFor(encoding)}` : this.json(encoding);
  }

  /** A PartialObjectMetadata, which is the same under every version. */
  metadataJson(): string {
    const body = this.#storageBody();
    return `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":${body.slice(metadataStart, metadataStart + this.#metadataLength)}}`;
  }

  /** As it is stored, under the kind and version that it was written with. */
  storageJson(): string {
    const { kind, apiVersion } = this.object;
    return buildHeader(kind, apiVersion) + this.#storageBody();
  }

  #bodyFor(encoding: Encoding): string {
    if (encoding.fromStorage === undefined) return this.#storageBody();
    this.#converted ??= new Map();
    const id = encodingId(encoding);
    let body = this.#converted.get(id);
    if (body === undefined) {
      body = encodeBody(encoding.fromStorage(this.object)).body;
      this.#converted.set(id, body);
    }
    return body;
  }

  #storageBody(): string {
    if (this.#body === undefined) {
      const { body, metadataLength } = encodeBody(this.object);
      this.#body = body;
      this.#metadataLength = metadataLength;
    }
    return this.#body;
  }
}

const headers = new WeakMap<Encoding, string>();

function headerOf(encoding: Encoding): string {
  const known = headers.get(encoding);
  if (known !== undefined) return known;
  const header = buildHeader(encoding.kind, encoding.apiVersion);
  headers.set(encoding, header);
  return header;
}

function buildHeader(kind: string, apiVersion: string): string {
  return `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`;
}

/** Metadata comes first, so that it can be cut out of the same text. */
function encodeBody(object: KubeObject): { readonly body: string; readonly metadataLength: number } {
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object;
  const first = JSON.stringify(metadata);
  const others = JSON.stringify(rest);
  const body = `"metadata":${first}${others === "{}" ? "}" : `,${others.slice(1)}`}`;
  return { body, metadataLength: first.length };
}
