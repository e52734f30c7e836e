/**
 * Deletion: admission -> preconditions -> grace period -> propagation finalizers -> removal. An object that must wait is
 * only marked with a deletion timestamp. Effects: two writes at most (a pod is marked before it goes), none in a dry run.
 */
import { type AdmissionRequest, mutateAdmission, validateAdmission } from "../admission/admission.ts";
import { deepEqual } from "../json-value.ts";
import { formatTime, type KubeObject } from "../object.ts";
import { kindSubject, type ResourceKind } from "../registry/kind.ts";
import { conflict } from "../status.ts";
import { StoredObject } from "../storage/stored-object.ts";
import type { ApiContext, Target } from "./context.ts";
import type { DeleteOptions } from "./delete-options.ts";
import { readObject } from "./read.ts";
import { takesPropagation } from "./update-rules.ts";

export interface Deletion {
  readonly object: StoredObject;
  /** False while finalizers or a grace period keep the object. */
  readonly gone: boolean;
  /** Nothing was done: the object is on its way already, and this asks for no shorter one. */
  readonly isPending?: boolean;
}

export function deleteObject(context: ApiContext, target: Target, options: DeleteOptions): Deletion {
  const admission = admissionOf(target, options);
  mutateAdmission(context, admission);
  const old = readObject(context, target);
  checkPreconditions(target.kind, old.object, options);
  validateAdmission(context, { ...admission, old: old.object });
  const grace = decideGrace(target.kind, old.object, options, context.clock.now());
  if (grace === "pending") return { object: old, gone: false, isPending: true };
  const finalizers = decideFinalizers(target.kind, old.object, options);
  const stays = finalizers.length > 0 || (grace?.seconds ?? 0) > 0 || isKeptByController(target.kind, old.object);
  if (grace === undefined && !stays) return remove(context, target, old, options);
  const marked = mark(target.kind, old.object, { grace, finalizers, nowMs: context.clock.now() });
  const object = write(context, target.kind, { old, marked }, options);
  if (stays) return { object, gone: false };
  return options.dryRun ? { object, gone: true } : remove(context, target, object, options);
}

function admissionOf(target: Target, options: DeleteOptions): AdmissionRequest {
  const { kind, namespace = "", name, subresource } = target;
  const { user, dryRun, warnings = [] } = options;
  return { operation: "DELETE", kind, namespace, name, subresource, user, dryRun, warnings };
}

function remove(context: ApiContext, target: Target, old: StoredObject, options: DeleteOptions): Deletion {
  if (options.dryRun) return { object: old, gone: true };
  return { object: context.store.delete(target.kind.storage, old.key), gone: true };
}

function write(
  context: ApiContext,
  kind: ResourceKind,
  change: { readonly old: StoredObject; readonly marked: KubeObject },
  options: DeleteOptions,
): StoredObject {
  const { old, marked } = change;
  if (deepEqual(marked, old.object)) return old;
  if (options.dryRun) return new StoredObject(old.key, marked, old.revision);
  return context.store.update(kind.storage, old.key, marked);
}

function checkPreconditions(kind: ResourceKind, { metadata }: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions;
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(kindSubject(kind), metadata.name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(kindSubject(kind), metadata.name, why);
  }
}

interface Grace {
  readonly seconds: number;
  readonly deletionTimestamp: string;
}

/** Undefined for kinds, and for objects on their way, that need no time. A running grace period can only be shortened. */
function decideGrace(
  { strategy }: ResourceKind,
  { metadata, ...object }: KubeObject,
  options: DeleteOptions,
  nowMs: number,
): Grace | "pending" | undefined {
  if (strategy.graceSeconds === undefined) return undefined;
  const { deletionTimestamp, deletionGracePeriodSeconds: running = 0 } = metadata;
  if (deletionTimestamp === undefined) {
    const whole = { ...object, metadata } as KubeObject;
    const seconds = strategy.graceSeconds(whole, options.gracePeriodSeconds);
    return { seconds, deletionTimestamp: formatTime(nowMs + seconds * 1000) };
  }
  if (running === 0) return undefined;
  const wanted = options.gracePeriodSeconds;
  if (wanted === undefined || wanted >= running) return "pending";
  const endsMs = Date.parse(deletionTimestamp) - running * 1000 + wanted * 1000;
  if (endsMs >= nowMs) return { seconds: wanted, deletionTimestamp: formatTime(endsMs) };
  // The shorter time is over already: one second is left for whoever ends the object, unless none was wanted.
  return { seconds: Math.min(wanted, 1), deletionTimestamp: formatTime(nowMs) };
}

function decideFinalizers(kind: ResourceKind, { metadata }: KubeObject, options: DeleteOptions): string[] {
  const finalizers = metadata.finalizers ?? [];
  const policy = options.propagationPolicy;
  if (!takesPropagation(kind) || policy === undefined) return [...finalizers];
  const kept = finalizers.filter((finalizer) => finalizer !== "orphan" && finalizer !== "foregroundDeletion");
  const wanted = { Orphan: ["orphan"], Foreground: ["foregroundDeletion"], Background: [] }[policy];
  const same = kept.length + wanted.length === finalizers.length && wanted.every((one) => finalizers.includes(one));
  return same ? [...finalizers] : [...kept, ...wanted];
}

/** A namespace stays until its controller has emptied it and given up its own finalizer. */
function isKeptByController({ strategy }: ResourceKind, object: KubeObject): boolean {
  if (strategy.beginDeletion === undefined) return false;
  const { finalizers = [] } = (object.spec ?? {}) as { finalizers?: string[] };
  return object.metadata.deletionTimestamp === undefined || finalizers.length > 0;
}

function mark(
  kind: ResourceKind,
  old: KubeObject,
  by: { readonly grace: Grace | undefined; readonly finalizers: string[]; readonly nowMs: number },
): KubeObject {
  const metadata = { ...old.metadata };
  if (by.finalizers.length > 0) metadata.finalizers = by.finalizers;
  else delete metadata.finalizers;
  if (metadata.deletionTimestamp === undefined && (metadata.generation ?? 0) > 0)
    metadata.generation = (metadata.generation ?? 0) + 1;
  if (by.grace !== undefined) {
    metadata.deletionTimestamp = by.grace.deletionTimestamp;
    metadata.deletionGracePeriodSeconds = by.grace.seconds;
  } else markAtOnce(metadata, kind, by.nowMs);
  const marked = { ...old, metadata };
  kind.strategy.beginDeletion?.(marked);
  return marked;
}

function markAtOnce(metadata: KubeObject["metadata"], { strategy }: ResourceKind, nowMs: number): void {
  const { deletionTimestamp } = metadata;
  if (deletionTimestamp === undefined || Date.parse(deletionTimestamp) > nowMs)
    metadata.deletionTimestamp = formatTime(nowMs);
  if (strategy.beginDeletion === undefined) metadata.deletionGracePeriodSeconds = 0;
}
