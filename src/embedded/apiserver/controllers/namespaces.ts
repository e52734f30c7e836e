/**
 * Namespaces: gives each its default service account and root certificate, and empties one that is being deleted before it
 * goes: its pods first, then everything else, with what is left in its conditions. Effects: creations, deletions, status.
 */
import { describeError } from "../../../base/errors.ts";
import { asArray, deepEqual } from "../json-value.ts";
import { formatTime, type KubeObject, specOf, statusOf } from "../object.ts";
import { type ApiContext, internalWrite } from "../operations/context.ts";
import { createObject } from "../operations/create.ts";
import { deleteObject } from "../operations/delete.ts";
import { backgroundDeletion } from "../operations/delete-options.ts";
import type { ResourceKind } from "../registry/kind.ts";
import type { StoreEvent } from "../storage/store.ts";
import { namespaceConditions, type Remains } from "./namespace-conditions.ts";
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
    else this.#end(name);
  }

  #end(name: string): void {
    const remains = this.#empty(name);
    const namespace = this.#showConditions(name, remains);
    if (remains.resources.size === 0 && namespace !== undefined) this.#finish(name, namespace);
  }

  /** @returns the namespace as it is now */
  #showConditions(name: string, remains: Remains): KubeObject | undefined {
    const { store, clock } = this.#context;
    const namespace = store.get("namespaces", name)?.object;
    if (namespace === undefined) return undefined;
    const conditions = namespaceConditions(namespace, remains, formatTime(clock.now()));
    const status = { ...statusOf(namespace), conditions };
    if (deepEqual(status, statusOf(namespace))) return namespace;
    return store.update("namespaces", name, { ...namespace, status }).object;
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

  /** Deletes what the namespace still holds, and tells what is left: nothing else goes while there are pods. */
  #empty(namespace: string): Remains {
    const kinds = this.#context.kinds.storages().filter((kind) => kind.namespaced);
    const pods = this.#deleteAll(
      namespace,
      kinds.filter((kind) => kind.storage === "pods"),
    );
    return pods.resources.size > 0 ? pods : this.#deleteAll(namespace, kinds);
  }

  #deleteAll(namespace: string, kinds: readonly ResourceKind[]): Remains {
    const { store } = this.#context;
    const resources = new Map<string, number>();
    const finalizers = new Map<string, number>();
    for (const kind of kinds) {
      for (const { object } of store.list(kind.storage, { namespace }).items) {
        if (object.metadata.deletionTimestamp !== undefined) continue;
        const target = { kind, namespace, name: object.metadata.name, subresource: "" };
        deleteObject(this.#context, target, backgroundDeletion);
      }
      const left = store.list(kind.storage, { namespace }).items;
      if (left.length > 0) resources.set(`${kind.plural}.${kind.group}`, left.length);
      for (const finalizer of left.flatMap(({ object }) => object.metadata.finalizers ?? []))
        finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
    }
    return { resources, finalizers };
  }
}
