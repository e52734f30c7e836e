/**
 * Creation: decode -> address -> defaults -> managed fields -> mutating admission -> name -> kind rules -> validation ->
 * validating admission -> store. Effects: one write, unless it is a dry run.
 */
import { randomUUID } from "node:crypto";
import { type AdmissionRequest, mutateAdmission, validateAdmission } from "../admission/admission.ts";
import { trackUpdate } from "../apply/track-update.ts";
import { versionsOf } from "../apply/versions.ts";
import { formatTime, type KubeObject, type ManagedFieldsEntry } from "../object.ts";
import { kindSubject, type ResourceKind, subjectOf } from "../registry/kind.ts";
import { validateMetadata } from "../registry/validate-metadata.ts";
import { invalid, unspecified } from "../status.ts";
import { StoredObject } from "../storage/stored-object.ts";
import { type ApiContext, keyOf, type WriteOptions } from "./context.ts";
import { decodeBody } from "./decode.ts";
import { finalizerWarnings } from "./finalizer-warnings.ts";
import { alreadyThere, generateName, needsName } from "./generate-name.ts";
import { checkAddress, checkNamespace } from "./identity.ts";
import { dropEmptyMetadata } from "./object-parts.ts";
import { dropDuplicateOwners } from "./owner-duplicates.ts";

export interface CreateTarget {
  readonly kind: ResourceKind;
  readonly namespace: string | undefined;
  /** Given when the path names the object, as in an apply or a PUT that creates it. */
  readonly name?: string;
}

export function createObject(
  context: ApiContext,
  target: CreateTarget,
  raw: unknown,
  options: WriteOptions,
): StoredObject {
  return createDecoded(context, target, decodeBody(raw, target.kind, options), options);
}

/** @param object fresh, it is changed here */
export function createDecoded(
  context: ApiContext,
  target: CreateTarget,
  object: KubeObject,
  options: WriteOptions,
): StoredObject {
  const { kind } = target;
  const versions = versionsOf(kind, context.kinds);
  const writer = { kind, versions, manager: options.fieldManager, subresource: "", nowMs: context.clock.now() };
  const own = (defaulted: KubeObject) => trackUpdate(undefined, defaulted, writer);
  return insert(context, kind, prepareNew(context, target, object, { own, options }), options);
}

export interface NewObjectWrite {
  /** Asked after defaulting and before admission: what admission adds belongs to nobody. */
  readonly own: (defaulted: KubeObject) => ManagedFieldsEntry[];
  readonly options: WriteOptions;
}

/** Everything of a creation but the write itself. Mutates and returns the fresh `object`. */
export function prepareNew(
  context: ApiContext,
  target: CreateTarget,
  object: KubeObject,
  write: NewObjectWrite,
): KubeObject {
  const { kind } = target;
  wipeSystemFields(object);
  placeObject(object, target);
  dropDuplicateOwners(object, write.options.warnings, false);
  dropEmptyMetadata(object);
  kind.strategy.applyDefaults?.(object);
  const managedFields = write.own(object);
  delete object.metadata.managedFields;
  mutateAdmission(context, admissionOf(kind, object, write.options));
  fillSystemFields(object, context.clock.now(), kind);
  if (needsName(object)) object.metadata.name = generateName(context, kind, object.metadata);
  kind.strategy.prepareCreate?.(object, { store: context.store, nowMs: context.clock.now() });
  const findings = [...validateMetadata(object, kind), ...(kind.strategy.validate?.(object, undefined) ?? [])];
  if (findings.length > 0) throw invalid(kindSubject(kind), object.metadata.name ?? "", findings);
  write.options.warnings.push(...finalizerWarnings(kind, object, undefined));
  validateAdmission(context, admissionOf(kind, object, write.options));
  if (managedFields.length > 0) object.metadata.managedFields = managedFields;
  return object;
}

function admissionOf(kind: ResourceKind, object: KubeObject, options: WriteOptions): AdmissionRequest {
  const { user, dryRun, warnings } = options;
  const { name = "", namespace = "" } = object.metadata;
  return { operation: "CREATE", kind, namespace, name, subresource: "", object, user, dryRun, warnings };
}

export function insert(
  context: ApiContext,
  kind: ResourceKind,
  object: KubeObject,
  options: WriteOptions,
): StoredObject {
  const { metadata } = object;
  const key = keyOf(kind, metadata.namespace, metadata.name);
  const existing = context.store.get(kind.storage, key);
  if (existing !== undefined) throw alreadyThere(subjectOf(kind), metadata, existing.object);
  const hasVersion = !["", "0"].includes(metadata.resourceVersion ?? "");
  delete metadata.resourceVersion;
  if (options.dryRun) return new StoredObject(key, object, 0);
  if (hasVersion) throw unspecified("resourceVersion should not be set on objects to be created");
  return context.store.create(kind.storage, key, object);
}

function placeObject(object: KubeObject, target: CreateTarget): void {
  const { metadata } = object;
  if (target.kind.namespaced) {
    const namespace = target.namespace ?? metadata.namespace ?? "";
    checkNamespace(metadata.namespace ?? "", namespace);
    metadata.namespace = namespace;
  } else delete metadata.namespace;
  if (target.name !== undefined) checkAddress({ ...target, name: target.name, subresource: "" }, object);
}

function wipeSystemFields({ metadata }: KubeObject): void {
  for (const name of ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"])
    delete metadata[name];
}

function fillSystemFields({ metadata }: KubeObject, nowMs: number, kind: ResourceKind): void {
  metadata.uid = randomUUID();
  metadata.creationTimestamp = formatTime(nowMs);
  if (kind.hasGeneration) metadata.generation = 1;
}
