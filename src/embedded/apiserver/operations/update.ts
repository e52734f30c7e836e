/**
 * Replacement of an object's main part or of its status, shared by PUT and all patches: identity and concurrency checks
 * -> ownership -> carry over what clients may not set -> admission, kind rules, validation -> generation -> store.
 * Effects: one write, none when nothing changed or in a dry run; the object goes away when its last finalizer does.
 */
import { type AdmissionRequest, mutateAdmission, validateAdmission } from "../admission/admission.ts";
import { trackUpdate } from "../apply/track-update.ts";
import { versionsOf } from "../apply/versions.ts";
import { deepEqual } from "../json-value.ts";
import type { KubeObject, ManagedFieldsEntry } from "../object.ts";
import { kindSubject, type ResourceKind } from "../registry/kind.ts";
import { validateMetadata } from "../registry/validate-metadata.ts";
import { failure, invalid } from "../status.ts";
import { StoredObject } from "../storage/stored-object.ts";
import type { ApiContext, Target, WriteOptions } from "./context.ts";
import { finalizerWarnings } from "./finalizer-warnings.ts";
import { checkAddress, checkUid, checkVersion } from "./identity.ts";
import {
  carrySystemFields,
  checkDeletionFields,
  contentChanged,
  dropEmptyMetadata,
  isFinished,
  selectParts,
} from "./object-parts.ts";
import { dropDuplicateOwners } from "./owner-duplicates.ts";

export interface UpdateChange {
  readonly old: StoredObject;
  /** As stored, fresh: it is changed here. */
  readonly candidate: KubeObject;
  /** Of an apply, which works ownership out itself; any other writer is tracked. */
  readonly managedFields?: readonly ManagedFieldsEntry[];
  /** Computed from the stored object rather than sent whole. */
  readonly isPatch?: boolean;
}

export function updateObject(
  context: ApiContext,
  target: Target,
  change: UpdateChange,
  options: WriteOptions,
): StoredObject {
  const { old, candidate, isPatch = false } = change;
  checkAddress(target, candidate);
  checkUid(target, candidate.metadata.uid ?? "", old.object, isPatch);
  if (!isPatch) dropDuplicateOwners(candidate, options.warnings, false);
  const version = candidate.metadata.resourceVersion ?? "";
  const next = prepareNext(context, target, change, options);
  checkVersion(target, old.object, version);
  if (isPatch) dropDuplicateOwners(next, options.warnings, true);
  const findings = validate(target, old.object, next);
  if (findings.length > 0) throw invalid(kindSubject(target.kind), target.name, findings);
  options.warnings.push(...finalizerWarnings(target.kind, next, old.object));
  validateAdmission(context, admissionOf(target, old.object, next, options));
  return commit(context, target.kind, { old, next }, options);
}

function validate({ kind, subresource }: Target, old: KubeObject, next: KubeObject) {
  // A binding sets what no update may: its node and its PodScheduled condition, nothing else (see bindPod).
  const before = subresource === "binding" ? undefined : old;
  return [
    ...validateMetadata(next, kind),
    ...checkDeletionFields(next, old),
    ...(kind.strategy.validate?.(next, before, subresource) ?? []),
  ];
}

function prepareNext(context: ApiContext, target: Target, change: UpdateChange, options: WriteOptions): KubeObject {
  const { candidate } = change;
  const old = change.old.object;
  const { kind, subresource } = target;
  const strategyContext = { store: context.store, nowMs: context.clock.now() };
  kind.strategy.applyDefaults?.(candidate);
  const managedFields = change.managedFields ?? trackChange(context, target, { old, candidate }, options);
  const next = selectParts(target, old, candidate);
  carrySystemFields(next, old);
  dropEmptyMetadata(next);
  setManagedFields(next, managedFields);
  mutateAdmission(context, admissionOf(target, old, next, options));
  if (subresource === "status") kind.strategy.prepareStatus?.(next, old, strategyContext);
  else kind.strategy.prepareUpdate?.(next, old, strategyContext);
  // Status says nothing of what is wanted, and the node of a pod is where it is wanted, not what.
  const counts = kind.hasGeneration && subresource !== "status" && subresource !== "binding";
  if (counts && contentChanged(kind, old, next)) {
    next.metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
  return next;
}

/** A binding changes nobody's fields: the node of a pod belongs to no manager. */
function trackChange(
  context: ApiContext,
  { kind, subresource }: Target,
  { old, candidate }: { readonly old: KubeObject; readonly candidate: KubeObject },
  options: WriteOptions,
): readonly ManagedFieldsEntry[] {
  if (subresource === "binding") return old.metadata.managedFields ?? [];
  const versions = versionsOf(kind, context.kinds);
  const nowMs = context.clock.now();
  return trackUpdate(old, candidate, { kind, versions, manager: options.fieldManager, subresource, nowMs });
}

function setManagedFields(object: KubeObject, entries: readonly ManagedFieldsEntry[]): void {
  if (entries.length > 0) object.metadata.managedFields = [...entries];
  else delete object.metadata.managedFields;
}

function admissionOf(target: Target, old: KubeObject, object: KubeObject, options: WriteOptions): AdmissionRequest {
  const { kind, namespace = "", name, subresource } = target;
  const { user, dryRun, warnings } = options;
  return { operation: "UPDATE", kind, namespace, name, subresource, object, old, user, dryRun, warnings };
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
  if (isFinished(next, old.object)) {
    if (!options.dryRun) context.store.delete(kind.storage, old.key);
    return new StoredObject(old.key, next, old.revision);
  }
  if (sameButTimes(old.object, next)) return old;
  if (options.dryRun) return new StoredObject(old.key, next, old.revision);
  return context.store.update(kind.storage, old.key, next);
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
