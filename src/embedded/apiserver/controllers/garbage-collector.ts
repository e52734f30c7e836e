/**
 * Owner garbage collection: deletes objects whose owners are all gone, orphans dependents where asked, and holds a
 * foreground-deleted owner until its dependents are gone. An owner in another namespace is none, and an event says so.
 * Effects: deletions, metadata updates, events.
 */
import { describeError } from "../../../base/errors.ts";
import type { KubeObject, OwnerReference } from "../object.ts";
import { type ApiContext, internalWrite, keyOf } from "../operations/context.ts";
import { deleteObject } from "../operations/delete.ts";
import { backgroundDeletion } from "../operations/delete-options.ts";
import { updateObject } from "../operations/update.ts";
import type { ResourceKind } from "../registry/kind.ts";
import type { StoreEvent } from "../storage/store.ts";
import { reportEvent } from "./report-event.ts";
import { WorkQueue } from "./work-queue.ts";

/** `storage` and key of an object, as one string. */
type Place = string;
const placeOf = (storage: string, key: string): Place => `${storage} ${key}`;

export class GarbageCollector {
  readonly #context: ApiContext;
  readonly #queue: WorkQueue;
  readonly #stop: () => void;
  /** Owner UID to the places of its dependents. */
  readonly #dependents = new Map<string, Set<Place>>();
  /** Place and owner's UID of references that an event has told of. */
  readonly #reported = new Map<Place, Set<string>>();

  constructor(context: ApiContext) {
    this.#context = context;
    this.#queue = new WorkQueue(
      (place) => this.#reconcile(place),
      (place, error) => {
        context.logger.error("garbage collection failed", { object: place, error: describeError(error) });
      },
    );
    this.#stop = context.store.watchAll((event) => this.#onEvent(event));
  }

  stop(): void {
    this.#stop();
    this.#queue.stop();
  }

  #onEvent(event: StoreEvent): void {
    const { metadata } = event.current.object;
    const place = placeOf(event.resource, event.current.key);
    const gone = event.type === "DELETED";
    for (const owner of event.previous?.object.metadata.ownerReferences ?? []) this.#unlink(owner.uid, place);
    for (const owner of gone ? [] : (metadata.ownerReferences ?? [])) this.#link(owner.uid, place);
    if (gone) {
      this.#reported.delete(place);
      this.#wakeAround(event.current.object);
    } else if ((metadata.ownerReferences ?? []).length > 0 || metadata.deletionTimestamp !== undefined)
      this.#queue.add(place);
  }

  /** An object went: its dependents may be orphans now, and its owners may be waiting for it. */
  #wakeAround(object: KubeObject): void {
    for (const place of this.#dependents.get(object.metadata.uid ?? "") ?? []) this.#queue.add(place);
    for (const owner of object.metadata.ownerReferences ?? []) {
      const found = this.#findOwner(owner, object.metadata.namespace);
      if (found !== undefined && found !== "unknown") this.#queue.add(placeOf(found.kind.storage, found.key));
    }
  }

  #link(uid: string, place: Place): void {
    const places = this.#dependents.get(uid) ?? new Set();
    this.#dependents.set(uid, places.add(place));
  }

  #unlink(uid: string, place: Place): void {
    const places = this.#dependents.get(uid);
    places?.delete(place);
    if (places?.size === 0) this.#dependents.delete(uid);
  }

  #reconcile(place: Place): void {
    const found = this.#find(place);
    if (found === undefined) return;
    const { finalizers, deletionTimestamp, ownerReferences } = found.object.metadata;
    const deleting = deletionTimestamp !== undefined;
    if (deleting && finalizers?.includes("orphan")) this.#orphanDependents(found);
    else if (deleting && finalizers?.includes("foregroundDeletion")) this.#deleteDependents(found);
    else if (!deleting && (ownerReferences ?? []).length > 0) this.#collect(found);
  }

  /** Without a living owner the object goes; dead owners beside a living one are struck from its references. */
  #collect(found: Found): void {
    const owners = found.object.metadata.ownerReferences ?? [];
    const living = owners.filter((owner) => this.#findOwner(owner, found.object.metadata.namespace) !== undefined);
    for (const owner of owners) if (this.#isElsewhere(owner, found.object)) this.#report(found, owner);
    if (living.length === owners.length) return;
    if (living.length === 0) {
      const preconditions = { uid: found.object.metadata.uid ?? "" };
      deleteObject(this.#context, targetOf(found), { ...backgroundDeletion, preconditions });
      return;
    }
    this.#update(found, { ownerReferences: living });
  }

  /** An owner of a namespaced kind that is not in the dependent's namespace, but somewhere; or the dependent is in none. */
  #isElsewhere(owner: OwnerReference, { metadata }: KubeObject): boolean {
    const kind = this.#context.kinds.findByKind(owner.apiVersion, owner.kind);
    if (kind?.namespaced !== true) return false;
    if (metadata.namespace === undefined) return true;
    const other = this.#context.store.list(kind.storage).items.find(({ object }) => object.metadata.uid === owner.uid);
    return other !== undefined && other.object.metadata.namespace !== metadata.namespace;
  }

  #report(found: Found, { apiVersion, kind, name, uid }: OwnerReference): void {
    const told = this.#reported.get(found.place) ?? new Set();
    if (told.has(uid)) return;
    this.#reported.set(found.place, told.add(uid));
    const namespace = found.object.metadata.namespace ?? "";
    const owner = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
    reportEvent(this.#context, found.object, {
      component: "garbage-collector-controller",
      type: "Warning",
      reason: "OwnerRefInvalidNamespace",
      message: `ownerRef ${owner} does not exist in namespace "${namespace}"`,
    });
  }

  #orphanDependents(found: Found): void {
    const uid = found.object.metadata.uid ?? "";
    for (const place of [...(this.#dependents.get(uid) ?? [])]) {
      const dependent = this.#find(place);
      const owners = dependent?.object.metadata.ownerReferences?.filter((owner) => owner.uid !== uid);
      if (dependent !== undefined && owners !== undefined) this.#update(dependent, { ownerReferences: owners });
    }
    this.#dropFinalizer(found, "orphan");
  }

  #deleteDependents(found: Found): void {
    const uid = found.object.metadata.uid ?? "";
    let blocking = 0;
    for (const place of [...(this.#dependents.get(uid) ?? [])]) {
      const dependent = this.#find(place);
      if (dependent === undefined) continue;
      const blocks = dependent.object.metadata.ownerReferences?.some(
        (owner) => owner.uid === uid && owner.blockOwnerDeletion === true,
      );
      if (dependent.object.metadata.deletionTimestamp === undefined) {
        deleteObject(this.#context, targetOf(dependent), { ...backgroundDeletion, propagationPolicy: "Foreground" });
      }
      if (blocks === true && this.#find(place) !== undefined) blocking += 1;
    }
    if (blocking === 0) this.#dropFinalizer(found, "foregroundDeletion");
  }

  #dropFinalizer(found: Found, finalizer: string): void {
    const current = this.#find(found.place);
    if (current === undefined) return;
    this.#update(current, {
      finalizers: (current.object.metadata.finalizers ?? []).filter((one) => one !== finalizer),
    });
  }

  #update(found: Found, change: { finalizers?: string[]; ownerReferences?: OwnerReference[] }): void {
    const old = this.#context.store.get(found.kind.storage, found.key);
    if (old === undefined) return;
    const candidate = { ...old.object, metadata: { ...old.object.metadata, ...change } };
    updateObject(this.#context, targetOf(found), { old, candidate }, internalWrite("kube-controller-manager"));
  }

  #find(place: Place): Found | undefined {
    const [storage = "", key = ""] = place.split(" ");
    const object = this.#context.store.get(storage, key)?.object;
    const kind = this.#context.kinds.storages().find((candidate) => candidate.storage === storage);
    return object === undefined || kind === undefined ? undefined : { place, kind, key, object };
  }

  /**
   * The owner is looked up by name and must have the UID. One that cannot be looked up counts as living: of an unknown
   * kind, or of a namespaced one where the dependent is in no namespace.
   */
  #findOwner(
    owner: OwnerReference,
    namespace: string | undefined,
  ): { kind: ResourceKind; key: string } | "unknown" | undefined {
    const kind = this.#context.kinds.findByKind(owner.apiVersion, owner.kind);
    if (kind === undefined || (kind.namespaced && namespace === undefined)) return "unknown";
    const key = keyOf(kind, namespace, owner.name);
    const object = this.#context.store.get(kind.storage, key)?.object;
    return object?.metadata.uid === owner.uid ? { kind, key } : undefined;
  }
}

interface Found {
  readonly place: Place;
  readonly kind: ResourceKind;
  readonly key: string;
  readonly object: KubeObject;
}

function targetOf(found: Found) {
  const { namespace, name } = found.object.metadata;
  return { kind: found.kind, namespace, name, subresource: "" };
}
