/**
 * Typed calls for one kind: get, list, write, apply, delete, watch. Thin over the transport: one method is one request
 * (a list, one per page). Server-side apply and its field manager live here, so that no caller writes a patch by hand.
 */
import { InferiumError } from "../base/errors.ts";
import { type ListOptions, listPages, type ObjectList } from "./list-pages.ts";
import type { ApplyObject, KubeObject, ObjectRef } from "./object.ts";
import { collectionPath, objectPath, type ResourceType } from "./resource.ts";
import type { HttpMethod, Query, Transport } from "./transport.ts";
import { type WatchEvent, type WatchOptions, watchCollection } from "./watch.ts";

export type PatchKind = "merge" | "json" | "strategic";

export interface CallOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PatchInput extends CallOptions {
  readonly kind: PatchKind;
  /** An object, or for `json` an array of operations. */
  readonly body: unknown;
  /** Such as `status`. */
  readonly subresource?: string | undefined;
}

export interface ApplyOptions extends CallOptions {
  /** Take over fields that another manager owns. True unless told otherwise: a controller is sure of what it applies. */
  readonly force?: boolean;
}

export interface DeleteOptions extends CallOptions {
  /** The delete is refused (409) unless the object still has this uid and resource version. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagation?: "Background" | "Foreground" | "Orphan";
  readonly gracePeriodSeconds?: number;
}

export interface KubeClient<T extends KubeObject> {
  readonly type: ResourceType<T>;
  get(ref: ObjectRef, options?: CallOptions): Promise<T>;
  /** All pages, as one consistent list, every item with its apiVersion and kind. */
  list(options?: ListOptions): Promise<ObjectList<T>>;
  create(object: T, options?: CallOptions): Promise<T>;
  /** Refused with a conflict (409) when `object` carries a resource version that is no longer the newest. */
  update(object: T, options?: CallOptions): Promise<T>;
  updateStatus(object: T, options?: CallOptions): Promise<T>;
  patch(ref: ObjectRef, patch: PatchInput): Promise<T>;
  /** Server-side apply: creates or changes exactly the fields given, and drops those given before and not now. */
  apply(object: ApplyObject<T>, options?: ApplyOptions): Promise<T>;
  applyStatus(object: ApplyObject<T>, options?: ApplyOptions): Promise<T>;
  /** A missing object is an error here; see `isNotFound`. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  watch(options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** GET of a subresource: `log` gives text, `scale` an object. */
  getSubresource<R>(ref: ObjectRef, subresource: string, options?: CallOptions & { query?: Query }): Promise<R>;
  /** POST to a subresource, such as a pod's `binding` or `eviction`. */
  createSubresource(ref: ObjectRef, subresource: string, body: KubeObject): Promise<void>;
}

export interface ClientOptions {
  /** Left out: the transport's. */
  readonly fieldManager?: string;
}

export function createClient<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: ClientOptions = {},
): KubeClient<T> {
  return new TransportClient(transport, type, options.fieldManager ?? transport.fieldManager);
}

const patchTypes: Record<PatchKind, string> = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
};
// Every JSON document is YAML; servers take JSON under this name, and only under this name.
const applyType = "application/apply-patch+yaml";

interface Write extends CallOptions {
  readonly method: HttpMethod;
  readonly path: string;
  readonly body: unknown;
  readonly contentType?: string;
  readonly query?: Query;
}

class TransportClient<T extends KubeObject> implements KubeClient<T> {
  readonly type: ResourceType<T>;
  readonly #transport: Transport;
  readonly #fieldManager: string;

  constructor(transport: Transport, type: ResourceType<T>, fieldManager: string) {
    this.type = type;
    this.#transport = transport;
    this.#fieldManager = fieldManager;
  }

  get(ref: ObjectRef, options: CallOptions = {}): Promise<T> {
    return this.#transport.request<T>({ method: "GET", path: objectPath(this.type, ref), ...callOptions(options) });
  }

  list(options: ListOptions = {}): Promise<ObjectList<T>> {
    return listPages(this.#transport, this.type, options);
  }

  watch(options: WatchOptions = {}): AsyncIterable<WatchEvent<T>> {
    return watchCollection(this.#transport, this.type, options);
  }

  create(object: T, options: CallOptions = {}): Promise<T> {
    this.#checkNamespace(object.metadata);
    const path = collectionPath(this.type, object.metadata.namespace);
    return this.#write({ method: "POST", path, body: this.#typed(object), ...callOptions(options) });
  }

  update(object: T, options: CallOptions = {}): Promise<T> {
    const path = objectPath(this.type, object.metadata);
    return this.#write({ method: "PUT", path, body: this.#typed(object), ...callOptions(options) });
  }

  updateStatus(object: T, options: CallOptions = {}): Promise<T> {
    const path = objectPath(this.type, object.metadata, "status");
    return this.#write({ method: "PUT", path, body: this.#typed(object), ...callOptions(options) });
  }

  patch(ref: ObjectRef, patch: PatchInput): Promise<T> {
    return this.#write({
      method: "PATCH",
      path: objectPath(this.type, ref, patch.subresource),
      body: patch.body,
      contentType: patchTypes[patch.kind],
      ...callOptions(patch),
    });
  }

  apply(object: ApplyObject<T>, options: ApplyOptions = {}): Promise<T> {
    return this.#apply(objectPath(this.type, object.metadata), object, options);
  }

  applyStatus(object: ApplyObject<T>, options: ApplyOptions = {}): Promise<T> {
    return this.#apply(objectPath(this.type, object.metadata, "status"), object, options);
  }

  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const body = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      preconditions: options.preconditions,
      propagationPolicy: options.propagation,
      gracePeriodSeconds: options.gracePeriodSeconds,
    };
    const path = objectPath(this.type, ref);
    await this.#transport.request({ method: "DELETE", path, body, ...callOptions(options) });
  }

  getSubresource<R>(ref: ObjectRef, subresource: string, options: CallOptions & { query?: Query } = {}): Promise<R> {
    const path = objectPath(this.type, ref, subresource);
    return this.#transport.request<R>({ method: "GET", path, query: options.query, ...callOptions(options) });
  }

  async createSubresource(ref: ObjectRef, subresource: string, body: KubeObject): Promise<void> {
    const path = objectPath(this.type, ref, subresource);
    await this.#transport.request({ method: "POST", path, body, query: { fieldManager: this.#fieldManager } });
  }

  #apply(path: string, object: ApplyObject<T>, options: ApplyOptions): Promise<T> {
    return this.#write({
      method: "PATCH",
      path,
      body: this.#typed(object),
      contentType: applyType,
      query: { force: options.force ?? true },
      ...callOptions(options),
    });
  }

  #write(write: Write): Promise<T> {
    return this.#transport.request<T>({ ...write, query: { fieldManager: this.#fieldManager, ...write.query } });
  }

  #typed(object: object): object {
    return { ...object, apiVersion: this.type.apiVersion, kind: this.type.kind };
  }

  #checkNamespace(metadata: { readonly name: string; readonly namespace?: string }): void {
    if (!this.type.namespaced || metadata.namespace) return;
    const message = `Cannot create ${this.type.kind} "${metadata.name}": it has no metadata.namespace; give one.`;
    throw new InferiumError("KubeBadReference", message);
  }
}

function callOptions(options: CallOptions): CallOptions {
  return { timeoutMs: options.timeoutMs, signal: options.signal };
}
