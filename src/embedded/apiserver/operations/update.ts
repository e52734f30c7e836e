/**
 * Replacement of an object's main part or of its status, shared by PUT and all patches: identity and concurrency checks
 * -> carry over what clients may not set -> kind rules -> validation -> generation -> store. Effects: one write, none
 * when nothing changed or in a dry run; the object goes away when its last finalizer does.
 */
import { type AdmissionRequest, mutateAdmission, validateAdmission } from "../admission/admission.ts";
import { trackUpdate } from "../apply/track-update.ts";
import { deepEqual } from "../json-value.ts";
import type { KubeObject, ManagedFieldsEntry } from "../object.ts";
import { kindSubject, type ResourceKind, subjectOf } from "../registry/kind.ts";
import { validateMetadata } from "../registry/validate-metadata.ts";
import { badRequest, cause, conflict, failure, invalid, staleObject } from "../status.ts";
import { StoredObject } from "../storage/stored-object.ts";
import type { ApiContext, Target, WriteOptions } from "./context.ts";

/** How the new managed fields come about: tracked as an update, or given by an apply. */
export type ManagedFieldsSource = (old: KubeObject, candidate: KubeObject) => ManagedFieldsEntry[];

export function updateObject(
  context: ApiContext,
  target: Target,
  change: { readonly old: StoredObject; readonly candidate: KubeObject; readonly managedFields?: ManagedFieldsSource },
  options: WriteOptions,
): StoredObject {
  const { old, candidate } = change;
  checkIdentity(target, old.object, candidate);
  const next = prepareNext(context, target, { old: old.object, candidate }, options);
  // A binding sets what no update may: its node and its PodScheduled condition, nothing else (see bindPod).
  const before = target.subresource === "binding" ? undefined : old.object;
  const findings = [...validateMetadata(next, target.kind), ...(target.kind.strategy.validate?.(next, before) ?? [])];
  findings.push(...checkFinalizersWhileDeleting(next, old.object));
  if (findings.length > 0) throw invalid(kindSubject(target.kind), target.name, findings);
  validateAdmission(context, admissionOf(target, old.object, next, options));
  const source = change.managedFields ?? trackedBy(target, options, context.clock.now());
  setManagedFields(next, source(old.object, next));
  return commit(context, target.kind, { old, next }, options);
}

function trackedBy(target: Target, options: WriteOptions, nowMs: number): ManagedFieldsSource {
  const by = { kind: target.kind, manager: options.fieldManager, subresource: target.subresource, nowMs };
  return (old, candidate) => trackUpdate(old, candidate, by);
}

function setManagedFields(object: KubeObject, entries: ManagedFieldsEntry[]): void {
  if (entries.length > 0) object.metadata.managedFields = entries;
  else delete object.metadata.managedFields;
}

function checkIdentity(target: Target, old: KubeObject, candidate: KubeObject): void {
  const { name, namespace, uid, resourceVersion } = candidate.metadata;
  if (name !== undefined && name !== "" && name !== target.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${target.name})`);
  }
  if (namespace !== undefined && namespace !== "" && namespace !== (target.namespace ?? "")) {
    throw badRequest(
      `the namespace of the object (${namespace}) does not match the namespace on the request (${target.namespace ?? ""})`,
    );
  }
  if (uid !== undefined && uid !== "" && uid !== old.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`;
    throw conflict(subjectOf(target.kind), target.name, why);
  }
  checkVersion(target, old, resourceVersion ?? "");
}

function checkVersion(target: Target, old: KubeObject, version: string): void {
  if (version === "") {
    if (target.kind.strategy.requiresVersion === true)
      throw invalidVersion(target, 0, "must be specified for an update");
    return;
  }
  if (version === old.metadata.resourceVersion) return;
  if (!/^\d+$/.test(version)) throw invalidVersion(target, version, "must be a number as the server gave it");
  throw staleObject(subjectOf(target.kind), target.name);
}

function invalidVersion(target: Target, got: unknown, why: string): Error {
  const finding = cause.invalid("metadata.resourceVersion", got, why);
  return invalid(kindSubject(target.kind), target.name, [finding]);
}

function prepareNext(
  context: ApiContext,
  target: Target,
  change: { readonly old: KubeObject; readonly candidate: KubeObject },
  options: WriteOptions,
): KubeObject {
  const { old, candidate } = change;
  const { kind, subresource } = target;
  const strategyContext = { store: context.store, nowMs: context.clock.now() };
  const next = selectParts(target, old, candidate);
  carrySystemFields(next, old);
  kind.strategy.applyDefaults?.(next);
  mutateAdmission(context, admissionOf(target, old, next, options));
  if (subresource === "status") kind.strategy.prepareStatus?.(next, old, strategyContext);
  else kind.strategy.prepareUpdate?.(next, old, strategyContext);
  if (kind.hasGeneration && subresource !== "status" && contentChanged(kind, old, next)) {
    next.metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
  return next;
}

function admissionOf(target: Target, old: KubeObject, object: KubeObject, options: WriteOptions): AdmissionRequest {
  const { kind, namespace = "", name, subresource } = target;
  const { user, dryRun, warnings } = options;
  return { operation: "UPDATE", kind, namespace, name, subresource, object, old, user, dryRun, warnings };
}

function selectParts({ kind, subresource }: Target, old: KubeObject, candidate: KubeObject): KubeObject {
  if (subresource === "status") return withStatus(kind, old, candidate);
  if (subresource === "binding") return { ...candidate, metadata: { ...candidate.metadata } };
  return withoutStatus(kind, old, candidate);
}

/** Custom resources take only the status; built-in kinds also take labels and annotations, as their Go strategies do. */
function withStatus(kind: ResourceKind, old: KubeObject, candidate: KubeObject): KubeObject {
  const metadata = kind.builtin ? { ...candidate.metadata } : { ...old.metadata };
  if (kind.builtin && old.metadata.ownerReferences !== undefined)
    metadata.ownerReferences = old.metadata.ownerReferences;
  if (candidate.metadata.managedFields !== undefined) metadata.managedFields = candidate.metadata.managedFields;
  const { status: _status, ...rest } = old;
  return withOptional({ ...rest, metadata }, "status", candidate.status);
}

function withoutStatus(kind: ResourceKind, old: KubeObject, candidate: KubeObject): KubeObject {
  if (!kind.hasStatus) return { ...candidate, metadata: { ...candidate.metadata } };
  const { status: _status, ...rest } = candidate;
  return withOptional({ ...rest, metadata: { ...candidate.metadata } }, "status", old.status);
}

function withOptional(object: KubeObject, field: string, value: unknown): KubeObject {
  return value === undefined ? object : { ...object, [field]: value };
}

const systemFields = [
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "generateName",
  "selfLink",
];

function carrySystemFields(next: KubeObject, old: KubeObject): void {
  next.apiVersion = old.apiVersion;
  next.metadata.name = old.metadata.name;
  if (old.metadata.namespace !== undefined) next.metadata.namespace = old.metadata.namespace;
  for (const field of systemFields) {
    if (old.metadata[field] === undefined) delete next.metadata[field];
    else next.metadata[field] = old.metadata[field];
  }
  if (next.metadata.managedFields === undefined && old.metadata.managedFields !== undefined) {
    next.metadata.managedFields = old.metadata.managedFields;
  }
  delete next.metadata.resourceVersion;
}

function contentChanged(kind: ResourceKind, old: KubeObject, next: KubeObject): boolean {
  const content = (object: KubeObject) => {
    const { metadata: _metadata, apiVersion: _apiVersion, ...rest } = object;
    if (kind.hasStatus) delete rest.status;
    return rest;
  };
  return !deepEqual(content(old), content(next));
}

function checkFinalizersWhileDeleting(next: KubeObject, old: KubeObject) {
  if (old.metadata.deletionTimestamp === undefined) return [];
  const before = old.metadata.finalizers ?? [];
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !before.includes(finalizer));
  if (added.length === 0) return [];
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`;
  return [cause.forbidden("metadata.finalizers", detail)];
}

function commit(
  context: ApiContext,
  kind: ResourceKind,
  change: { readonly old: StoredObject; readonly next: KubeObject },
  options: WriteOptions,
): StoredObject {
  const { old, next } = change;
  // The store is read and written in one turn of the event loop, so a change in between is a defect of ours.
  if (context.store.get(kind.storage, old.key) !== old)
    throw failure(500, "InternalError", `lost update of ${old.key}`);
  next.metadata.resourceVersion = old.object.metadata.resourceVersion ?? "";
  if (sameButTimes(old.object, next)) return old;
  if (options.dryRun) return new StoredObject(old.key, next, old.revision);
  const updated = context.store.update(kind.storage, old.key, next);
  return isFinished(next) ? context.store.delete(kind.storage, old.key) : updated;
}

/** A write that only refreshes the time of managed fields is no write. */
function sameButTimes(old: KubeObject, next: KubeObject): boolean {
  const strip = (object: KubeObject) => ({
    ...object,
    metadata: {
      ...object.metadata,
      managedFields: object.metadata.managedFields?.map(({ time: _time, ...rest }) => rest),
    },
  });
  return deepEqual(strip(old), strip(next));
}

function isFinished(object: KubeObject): boolean {
  const { deletionTimestamp, finalizers, deletionGracePeriodSeconds } = object.metadata;
  if (deletionTimestamp === undefined || (finalizers?.length ?? 0) > 0) return false;
  const waitsForController =
    object.kind === "Namespace" && ((object.spec as { finalizers?: string[] })?.finalizers?.length ?? 0) > 0;
  return (deletionGracePeriodSeconds ?? 0) === 0 && !waitsForController;
}
