/**
 * Brings custom resources to life: registers the kinds of each definition the moment it is stored, gives it names that
 * others let go, and on its deletion removes all objects before the definition itself goes. Effects: the registry,
 * deletions, the status of definitions.
 */
import { describeError } from "../../../base/errors.ts";
import { asArray, asObject, asString, deepEqual, type JsonObject } from "../json-value.ts";
import { formatTime, type KubeObject, specOf, statusOf } from "../object.ts";
import { type ApiContext, internalWrite } from "../operations/context.ts";
import { deleteObject } from "../operations/delete.ts";
import { backgroundDeletion } from "../operations/delete-options.ts";
import { updateObject } from "../operations/update.ts";
import { cleanupFinalizer, crdStorage } from "../registry/crd-kind.ts";
import { customKinds, storageKind } from "../registry/custom-kind.ts";
import { decideNames, isServed, withCondition } from "../registry/definition-names.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { StatusError } from "../status.ts";
import type { StoreEvent } from "../storage/store.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { WorkQueue } from "./work-queue.ts";

const manager = "kube-apiserver";

export class DefinitionController {
  readonly #context: ApiContext;
  readonly #registered = new Map<string, readonly ResourceKind[]>();
  readonly #queue: WorkQueue;
  readonly #stops: Array<() => void> = [];

  constructor(context: ApiContext) {
    this.#context = context;
    this.#queue = new WorkQueue(
      (name) => this.#sync(name),
      (name, error) => {
        context.logger.error("work on a custom resource definition failed", {
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
    this.#reconsider(event);
  }

  /** Names that a definition gave up may be what another one of its group waits for. */
  #reconsider(event: StoreEvent): void {
    const kept = event.type === "DELETED" ? {} : asObject(statusOf(event.current.object).acceptedNames);
    const before = asObject(statusOf(event.previous?.object ?? event.current.object).acceptedNames);
    if (deepEqual(kept, before)) return;
    const group = specOf(event.current.object).group;
    for (const { object } of this.#context.store.list(crdStorage).items) {
      if (specOf(object).group === group && object.metadata.name !== event.current.object.metadata.name)
        this.#queue.add(object.metadata.name);
    }
  }

  /** The last object of a dying definition lets the definition go. */
  #onObject(event: StoreEvent): void {
    if (event.type !== "DELETED" || event.resource === crdStorage) return;
    const definition = this.#context.store.get(crdStorage, event.resource)?.object;
    if (definition?.metadata.deletionTimestamp !== undefined) this.#queue.add(definition.metadata.name);
  }

  #register(name: string, definition: KubeObject): void {
    this.#unregister(name);
    if (!isServed(definition)) return;
    const kinds = customKinds(definition);
    for (const kind of kinds) this.#context.kinds.add(kind);
    this.#registered.set(name, kinds);
  }

  #unregister(name: string): void {
    for (const kind of this.#registered.get(name) ?? [])
      this.#context.kinds.remove(kind.group, kind.version, kind.plural);
    this.#registered.delete(name);
  }

  #sync(name: string): void {
    const stored = this.#context.store.get(crdStorage, name);
    if (stored === undefined) return;
    if (stored.object.metadata.deletionTimestamp === undefined) this.#acceptNames(stored);
    else if ((stored.object.metadata.finalizers ?? []).includes(cleanupFinalizer)) this.#finish(stored);
  }

  #acceptNames(stored: StoredObject): void {
    const { store } = this.#context;
    const others = store.list(crdStorage).items.filter((item) => item !== stored);
    const time = formatTime(this.#context.clock.now());
    const decision = decideNames(
      stored.object,
      others.map((item) => item.object),
      time,
    );
    this.#setStatus(stored, { ...statusOf(stored.object), ...decision });
  }

  #finish(stored: StoredObject): void {
    const kind = storageKind(stored.object);
    if (kind !== undefined && !this.#deleteObjects(kind)) {
      const conditions = asArray(statusOf(stored.object).conditions).map(asObject);
      const time = formatTime(this.#context.clock.now());
      this.#setStatus(stored, { ...statusOf(stored.object), conditions: withCondition(conditions, terminating, time) });
      return;
    }
    const finalizers = (stored.object.metadata.finalizers ?? []).filter((finalizer) => finalizer !== cleanupFinalizer);
    this.#update(stored, { ...stored.object, metadata: { ...stored.object.metadata, finalizers } }, "");
  }

  #setStatus(stored: StoredObject, status: JsonObject): void {
    if (!deepEqual(status, statusOf(stored.object))) this.#update(stored, { ...stored.object, status }, "status");
  }

  #update(old: StoredObject, candidate: KubeObject, subresource: string): void {
    const kind = this.#context.kinds.find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
    if (kind === undefined) return;
    const target = { kind, namespace: undefined, name: asString(old.object.metadata.name), subresource };
    updateObject(this.#context, target, { old, candidate }, internalWrite(manager));
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

const terminating: JsonObject = {
  type: "Terminating",
  status: "True",
  reason: "InstanceDeletionInProgress",
  message: "CustomResource deletion is in progress",
};
