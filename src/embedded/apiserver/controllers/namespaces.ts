/**
 * Namespaces: gives each its default service account and root certificate, and empties one that is being deleted before it goes. Effects:
 * creations and deletions.
 */
import { describeError } from "../../../base/errors.ts";
import { asArray } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import { type ApiContext, internalWrite } from "../operations/context.ts";
import { createObject } from "../operations/create.ts";
import { deleteObject } from "../operations/delete.ts";
import { backgroundDeletion } from "../operations/delete-options.ts";
import type { StoreEvent } from "../storage/store.ts";
import { WorkQueue } from "./work-queue.ts";

const rootCaName = "kube-root-ca.crt";

export class NamespaceController {
  readonly #context: ApiContext;
  readonly #caPem: string;
  readonly #queue: WorkQueue;
  readonly #stops: Array<() => void>;

  /** @param caPem what pods need to trust this server; each namespace gets it as `kube-root-ca.crt` */
  constructor(context: ApiContext, caPem: string) {
    this.#context = context;
    this.#caPem = caPem;
    this.#queue = new WorkQueue(
      (name) => this.#reconcile(name),
      (name, error) => {
        context.logger.error("namespace work failed", { namespace: name, error: describeError(error) });
      },
    );
    const { store } = context;
    this.#stops = [
      store.watch("namespaces", store.revision(), (event) => this.#queue.add(event.current.object.metadata.name)),
      store.watchAll((event) => this.#onObject(event)),
    ];
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#queue.stop();
  }

  /** A deletion inside of a dying namespace may be the last one; what every namespace has comes back. */
  #onObject(event: StoreEvent): void {
    const { namespace, name } = event.current.object.metadata;
    if (event.type !== "DELETED" || namespace === undefined) return;
    const owner = this.#context.store.get("namespaces", namespace)?.object;
    const comesBack = name === "default" || name === rootCaName;
    if (owner !== undefined && (comesBack || owner.metadata.deletionTimestamp !== undefined))
      this.#queue.add(namespace);
  }

  #reconcile(name: string): void {
    const stored = this.#context.store.get("namespaces", name);
    if (stored === undefined) return;
    if (stored.object.metadata.deletionTimestamp === undefined) this.#ensureContents(name);
    else if (this.#empty(name)) this.#finish(name, stored.object);
  }

  #finish(name: string, namespace: KubeObject): void {
    const spec = { ...specOf(namespace), finalizers: [] };
    if (asArray(specOf(namespace).finalizers).length > 0)
      this.#context.store.update("namespaces", name, { ...namespace, spec });
    if ((namespace.metadata.finalizers ?? []).length === 0) this.#context.store.delete("namespaces", name);
  }

  #ensureContents(namespace: string): void {
    this.#ensure("serviceaccounts", {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "default", namespace },
    });
    const metadata = { name: rootCaName, namespace };
    this.#ensure("configmaps", { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "ca.crt": this.#caPem } });
  }

  #ensure(plural: string, object: KubeObject): void {
    const { store, kinds } = this.#context;
    const { namespace, name } = object.metadata;
    const kind = kinds.find("", "v1", plural);
    if (kind === undefined || store.get(plural, `${namespace}/${name}`) !== undefined) return;
    createObject(this.#context, { kind, namespace }, object, internalWrite("kube-controller-manager"));
  }

  /** Deletes what the namespace still holds. @returns whether nothing is left */
  #empty(namespace: string): boolean {
    const { store, kinds } = this.#context;
    let left = 0;
    for (const kind of kinds.storages()) {
      if (!kind.namespaced) continue;
      for (const item of store.list(kind.storage, { namespace }).items) {
        if (item.object.metadata.deletionTimestamp === undefined) {
          deleteObject(
            this.#context,
            { kind, namespace, name: item.object.metadata.name, subresource: "" },
            backgroundDeletion,
          );
        }
      }
      left += store.list(kind.storage, { namespace }).items.length;
    }
    return left === 0;
  }
}
