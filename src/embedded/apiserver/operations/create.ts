/**
 * Creation: decode -> name -> defaults -> managed fields -> mutating admission -> kind rules -> validation -> validating
 * admission -> store. Effects: one write, unless it is a dry run.
 */
import { randomUUID } from "node:crypto";
import { type AdmissionRequest, mutateAdmission, validateAdmission } from "../admission/admission.ts";
import { trackUpdate } from "../apply/track-update.ts";
import { formatTime, type KubeObject, type ManagedFieldsEntry } from "../object.ts";
import { kindSubject, type ResourceKind, subjectOf } from "../registry/kind.ts";
import { validateMetadata } from "../registry/validate-metadata.ts";
import { alreadyExists, badRequest, cause, failure, forbidden, invalid, notFound } from "../status.ts";
import { StoredObject } from "../storage/stored-object.ts";
import { type ApiContext, keyOf, type WriteOptions } from "./context.ts";
import { decodeBody } from "./decode.ts";

export interface CreateTarget {
  readonly kind: ResourceKind;
  readonly namespace: string | undefined;
  /** Given when the path names the object, as in an apply that creates it. */
  readonly name?: string;
}

export function createObject(
  context: ApiContext,
  target: CreateTarget,
  raw: unknown,
  options: WriteOptions,
): StoredObject {
  const object = decodeBody(raw, target.kind, options);
  const writer = { kind: target.kind, manager: options.fieldManager, subresource: "", nowMs: context.clock.now() };
  const own = (defaulted: KubeObject) => trackUpdate(undefined, defaulted, writer);
  const candidate = prepareNew(context, target, object, { own, options });
  return insert(context, target.kind, candidate, options);
}

/**
 * Everything of a creation but the write itself. Mutates and returns the fresh `object`. Ownership is asked for after
 * defaulting and before admission: what admission adds belongs to nobody.
 */
export function prepareNew(
  context: ApiContext,
  target: CreateTarget,
  object: KubeObject,
  write: { readonly own: (defaulted: KubeObject) => ManagedFieldsEntry[]; readonly options: WriteOptions },
): KubeObject {
  const { kind } = target;
  placeObject(object, target);
  nameObject(object, context, kind);
  admitToNamespace(context, kind, object);
  resetSystemFields(object, context.clock.now(), kind);
  kind.strategy.applyDefaults?.(object);
  const managedFields = write.own(object);
  const admission = admissionOf(kind, object, write.options);
  mutateAdmission(context, admission);
  kind.strategy.prepareCreate?.(object, { store: context.store, nowMs: context.clock.now() });
  const findings = [...validateMetadata(object, kind), ...(kind.strategy.validate?.(object, undefined) ?? [])];
  if (findings.length > 0) throw invalid(kindSubject(kind), object.metadata.name, findings);
  validateAdmission(context, admission);
  if (managedFields.length > 0) object.metadata.managedFields = managedFields;
  return object;
}

function admissionOf(kind: ResourceKind, object: KubeObject, options: WriteOptions): AdmissionRequest {
  const { user, dryRun, warnings } = options;
  const { name, namespace = "" } = object.metadata;
  return { operation: "CREATE", kind, namespace, name, subresource: "", object, user, dryRun, warnings };
}

export function insert(
  context: ApiContext,
  kind: ResourceKind,
  object: KubeObject,
  options: WriteOptions,
): StoredObject {
  const key = keyOf(kind, object.metadata.namespace, object.metadata.name);
  if (context.store.get(kind.storage, key) !== undefined) throw alreadyExists(subjectOf(kind), object.metadata.name);
  if (options.dryRun) return new StoredObject(key, object, 0);
  return context.store.create(kind.storage, key, object);
}

function placeObject(object: KubeObject, target: CreateTarget): void {
  const { metadata } = object;
  if (target.kind.namespaced) {
    const namespace = target.namespace ?? metadata.namespace ?? "";
    if (metadata.namespace !== undefined && metadata.namespace !== "" && metadata.namespace !== namespace) {
      throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
    }
    if (namespace === "") throw badRequest("an empty namespace may not be set during creation");
    metadata.namespace = namespace;
  } else delete metadata.namespace;
  if (target.name === undefined) return;
  if (metadata.name !== undefined && metadata.name !== "" && metadata.name !== target.name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${target.name})`);
  }
  metadata.name = target.name;
}

const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";
const suffixLength = 5;
const maxGeneratedBase = 58;
const generateAttempts = 8;

function nameObject(object: KubeObject, context: ApiContext, kind: ResourceKind): void {
  const { metadata } = object;
  if (metadata.resourceVersion) throw badRequest("resourceVersion should not be set on objects to be created");
  if (metadata.name) return;
  const base = metadata.generateName;
  if (base === undefined || base === "") {
    throw invalid(kindSubject(kind), "", [cause.required("metadata.name", "name or generateName is required")]);
  }
  for (let attempt = 0; attempt < generateAttempts; attempt += 1) {
    metadata.name = `${base.slice(0, maxGeneratedBase)}${randomSuffix()}`;
    if (context.store.get(kind.storage, keyOf(kind, metadata.namespace, metadata.name)) === undefined) return;
  }
  throw failure(500, "ServerTimeout", `no free name was found for generateName ${JSON.stringify(base)}; try again`);
}

function randomSuffix(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(suffixLength));
  return [...bytes].map((byte) => suffixAlphabet[byte % suffixAlphabet.length]).join("");
}

function admitToNamespace(context: ApiContext, kind: ResourceKind, object: KubeObject): void {
  if (!kind.namespaced) return;
  const namespace = object.metadata.namespace ?? "";
  const stored = context.store.get("namespaces", namespace);
  if (stored === undefined) throw notFound({ resource: "namespaces", group: "" }, namespace);
  if (stored.object.metadata.deletionTimestamp === undefined) return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw forbidden(subjectOf(kind), object.metadata.name, why);
}

function resetSystemFields(object: KubeObject, nowMs: number, kind: ResourceKind): void {
  const { metadata } = object;
  for (const name of [
    "resourceVersion",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
    "managedFields",
  ]) {
    delete metadata[name];
  }
  metadata.uid = randomUUID();
  metadata.creationTimestamp = formatTime(nowMs);
  if (kind.hasGeneration) metadata.generation = 1;
}
