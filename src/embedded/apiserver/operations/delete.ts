/**
 * Deletion: admission -> preconditions -> propagation finalizers -> grace period -> finalizers -> removal. An object that must wait
 * is only marked with a deletion timestamp. Effects: one write at most, none in a dry run.
 */
import { type AdmissionRequest, mutateAdmission, validateAdmission } from "../admission/admission.ts";
import { formatTime, type KubeObject } from "../object.ts";
import { subjectOf } from "../registry/kind.ts";
import { conflict } from "../status.ts";
import { StoredObject } from "../storage/stored-object.ts";
import type { ApiContext, Target } from "./context.ts";
import type { DeleteOptions } from "./delete-options.ts";
import { readObject } from "./read.ts";

export interface Deletion {
  readonly object: StoredObject;
  /** False while finalizers or a grace period keep the object. */
  readonly gone: boolean;
}

export function deleteObject(context: ApiContext, target: Target, options: DeleteOptions): Deletion {
  const admission = admissionOf(target, options);
  mutateAdmission(context, admission);
  const old = readObject(context, target);
  checkPreconditions(target, old.object, options);
  validateAdmission(context, { ...admission, old: old.object });
  const marked = markDeleted(context, target, old.object, options);
  if (marked === undefined) return remove(context, target, old, options);
  if (marked === old.object) return { object: old, gone: false };
  if (options.dryRun) return { object: new StoredObject(old.key, marked, old.revision), gone: false };
  return { object: context.store.update(target.kind.storage, old.key, marked), gone: false };
}

function admissionOf(target: Target, options: DeleteOptions): AdmissionRequest {
  const { kind, namespace = "", name, subresource } = target;
  const { user, dryRun } = options;
  return { operation: "DELETE", kind, namespace, name, subresource, user, dryRun, warnings: options.warnings ?? [] };
}

function remove(context: ApiContext, target: Target, old: StoredObject, options: DeleteOptions): Deletion {
  if (options.dryRun) return { object: old, gone: true };
  return { object: context.store.delete(target.kind.storage, old.key), gone: true };
}

function checkPreconditions(target: Target, object: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions;
  if (uid !== undefined && uid !== object.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`;
    throw conflict(subjectOf(target.kind), target.name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion) {
    const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${object.metadata.resourceVersion}`;
    throw conflict(subjectOf(target.kind), target.name, why);
  }
}

/** The marked object, the same object when nothing changes, or undefined when it can go at once. */
function markDeleted(
  context: ApiContext,
  target: Target,
  old: KubeObject,
  options: DeleteOptions,
): KubeObject | undefined {
  const { strategy } = target.kind;
  const finalizers = withPropagation(old.metadata.finalizers ?? [], options.propagationPolicy);
  const grace = strategy.graceSeconds?.(old, options.gracePeriodSeconds) ?? 0;
  if (finalizers.length === 0 && grace === 0 && strategy.beginDeletion === undefined) return undefined;
  const shortens = grace < (old.metadata.deletionGracePeriodSeconds ?? Number.POSITIVE_INFINITY);
  const sameFinalizers = finalizers.length === (old.metadata.finalizers ?? []).length;
  if (old.metadata.deletionTimestamp !== undefined && !shortens && sameFinalizers) return old;
  const metadata = { ...old.metadata };
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  if (old.metadata.deletionTimestamp === undefined || shortens) {
    metadata.deletionTimestamp = formatTime(context.clock.now() + grace * 1000);
    metadata.deletionGracePeriodSeconds = grace;
  }
  if (metadata.generation !== undefined && old.metadata.deletionTimestamp === undefined) metadata.generation += 1;
  const marked = { ...old, metadata };
  strategy.beginDeletion?.(marked);
  return marked;
}

function withPropagation(finalizers: readonly string[], policy: DeleteOptions["propagationPolicy"]): string[] {
  const kept = finalizers.filter((finalizer) => finalizer !== "orphan" && finalizer !== "foregroundDeletion");
  if (policy === undefined) return [...finalizers];
  if (policy === "Orphan") return [...kept, "orphan"];
  return policy === "Foreground" ? [...kept, "foregroundDeletion"] : kept;
}
