/**
 * Brings custom resources to life: registers the kinds of each definition the moment it is stored, and on its deletion
 * removes all objects before the definition itself goes. Effects: the registry, deletions.
 */
import { describeError } from "../../../base/errors.ts";
import type { KubeObject } from "../object.ts";
import { type ApiContext, internalWrite } from "../operations/context.ts";
import { deleteObject } from "../operations/delete.ts";
import { backgroundDeletion } from "../operations/delete-options.ts";
import { updateObject } from "../operations/update.ts";
import { crdStorage } from "../registry/crd-kind.ts";
import { customKinds } from "../registry/custom-kind.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { StatusError } from "../status.ts";
import type { StoreEvent } from "../storage/store.ts";
import { WorkQueue } from "./work-queue.ts";

const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

export class DefinitionController {
  readonly #context: ApiContext;
  readonly #registered = new Map<string, readonly ResourceKind[]>();
  readonly #queue: WorkQueue;
  readonly #stops: Array<() => void> = [];

  constructor(context: ApiContext) {
    this.#context = context;
    this.#queue = new WorkQueue(
      (name) => this.#finish(name),
      (name, error) => {
        context.logger.error("cleaning up after a definition failed", {
          definition: name,
          error: describeError(error),
        });
      },
    );
    this.#stops.push(context.store.watch(crdStorage, context.store.revision(), (event) => this.#onEvent(event)));
    this.#stops.push(context.store.watchAll((event) => this.#onObject(event)));
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#queue.stop();
  }

  #onEvent(event: StoreEvent): void {
    const { name, deletionTimestamp } = event.current.object.metadata;
    if (event.type === "DELETED") this.#unregister(name);
    else this.#register(name, event.current.object);
    if (deletionTimestamp !== undefined && event.type !== "DELETED") this.#queue.add(name);
  }

  /** The last object of a dying definition lets the definition go. */
  #onObject(event: StoreEvent): void {
    if (event.type !== "DELETED") return;
    for (const [name, kinds] of this.#registered) {
      if (kinds[0]?.storage !== event.resource) continue;
      const definition = this.#context.store.get(crdStorage, name)?.object;
      if (definition?.metadata.deletionTimestamp !== undefined) this.#queue.add(name);
    }
  }

  #register(name: string, definition: KubeObject): void {
    this.#unregister(name);
    const kinds = customKinds(definition);
    for (const kind of kinds) this.#context.kinds.add(kind);
    this.#registered.set(name, kinds);
  }

  #unregister(name: string): void {
    for (const kind of this.#registered.get(name) ?? [])
      this.#context.kinds.remove(kind.group, kind.version, kind.plural);
    this.#registered.delete(name);
  }

  #finish(name: string): void {
    const { store, kinds } = this.#context;
    const old = store.get(crdStorage, name);
    const crd = kinds.find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
    if (old?.object.metadata.deletionTimestamp === undefined || crd === undefined) return;
    const kind = this.#registered.get(name)?.[0];
    if (kind !== undefined && !this.#deleteObjects(kind)) return;
    const finalizers = (old.object.metadata.finalizers ?? []).filter((finalizer) => finalizer !== cleanupFinalizer);
    const candidate = { ...old.object, metadata: { ...old.object.metadata, finalizers } };
    const target = { kind: crd, namespace: undefined, name, subresource: "" };
    updateObject(this.#context, target, { old, candidate }, internalWrite("kube-apiserver"));
  }

  /** @returns whether none is left */
  #deleteObjects(kind: ResourceKind): boolean {
    const { store } = this.#context;
    for (const item of store.list(kind.storage).items) {
      const { namespace, name, deletionTimestamp } = item.object.metadata;
      if (deletionTimestamp !== undefined) continue;
      try {
        deleteObject(this.#context, { kind, namespace, name, subresource: "" }, backgroundDeletion);
      } catch (error) {
        if (!(error instanceof StatusError) || error.code !== 404) throw error;
      }
    }
    return store.count(kind.storage) === 0;
  }
}
