/**
 * Server-side apply: check the configuration -> decide what becomes of the object and of its managers -> refuse or force
 * conflicts -> write as a creation or an update. Effects: one write at most.
 */
import { asString, cloneJson, isObject, type JsonObject } from "../json-value.ts";
import type { KubeObject, ManagedFieldsEntry } from "../object.ts";
import { type ApiContext, keyOf, type Target, type WriteOptions } from "../operations/context.ts";
import { insert, prepareNew } from "../operations/create.ts";
import { decodeObject } from "../operations/decode.ts";
import { checkUid } from "../operations/identity.ts";
import { requireCreate } from "../operations/replace.ts";
import { updateObject } from "../operations/update.ts";
import { type ResourceKind, subjectOf } from "../registry/kind.ts";
import { badRequest, notFound, unspecified } from "../status.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { type ApplyOutcome, applyConfig } from "./apply-config.ts";
import { checkConfig, formatFindings } from "./check-config.ts";
import { conflictError } from "./conflicts.ts";
import { followLastApplied, withoutLastApplied } from "./last-applied.ts";
import { type Managers, readManagers, writeManagers } from "./managed-entries.ts";
import { updateManagers } from "./track-update.ts";
import { inVersion, versionsOf } from "./versions.ts";

export interface ApplyRequest {
  readonly config: unknown;
  readonly force: boolean;
}

export interface Applied {
  readonly stored: StoredObject;
  readonly created: boolean;
}

export function applyObject(
  context: ApiContext,
  target: Target,
  request: ApplyRequest,
  options: WriteOptions,
): Applied {
  const { kind, namespace, name, subresource } = target;
  const config = checkApplied(request.config, target);
  const live = context.store.get(kind.storage, keyOf(kind, namespace, name));
  if (live === undefined && subresource !== "") throw notFound(subjectOf(kind), name);
  if (live === undefined) return { stored: createApplied(context, target, config, options), created: true };
  const change = applyToLive(context, target, { live: live.object, config, force: request.force }, options);
  reportBody(options);
  return { stored: updateObject(context, target, { old: live, ...change, isPatch: true }, options), created: false };
}

/** Of the body itself only repeated keys can be wrong here: fields that nobody declares are refused outright. */
function reportBody(options: WriteOptions): void {
  const complaints = options.bodyComplaints ?? [];
  if (complaints.length === 0 || options.fieldValidation === "Ignore") return;
  if (options.fieldValidation === "Strict") throw badRequest(`error strict decoding YAML: ${complaints.join(", ")}`);
  options.warnings.push(...complaints);
}

function checkApplied(config: unknown, { kind, namespace, name }: Target): KubeObject {
  if (!isObject(config)) throw badRequest("error decoding YAML: an applied configuration must be an object");
  const apiVersion = asString(config.apiVersion);
  const kindName = asString(config.kind);
  if (apiVersion !== kind.apiVersion || kindName !== kind.kind) {
    const given = `${apiVersion}, Kind=${kindName}`;
    throw badRequest(`invalid object type: ${apiVersion.includes("/") ? given : `/${given}`}`);
  }
  const metadata = isObject(config.metadata) ? config.metadata : {};
  if (metadata.managedFields !== undefined && metadata.managedFields !== null)
    throw badRequest("metadata.managedFields must be nil");
  const findings = checkConfig(config, kind.schema);
  if (findings.length > 0) {
    const what = `${namespace ?? ""}/${name}; ${kind.apiVersion}, Kind=${kind.kind}`;
    throw unspecified(`failed to create typed patch object (${what}): ${formatFindings(findings)}`);
  }
  return config as KubeObject;
}

interface LiveApply {
  readonly live: KubeObject;
  readonly config: KubeObject;
  readonly force: boolean;
}

function applyToLive(
  context: ApiContext,
  target: Target,
  apply: LiveApply,
  options: WriteOptions,
): { candidate: KubeObject; managedFields: ManagedFieldsEntry[] } {
  const { kind } = target;
  const { managedFields, ...metadata } = apply.live.metadata;
  const live: KubeObject = { ...apply.live, metadata };
  const managers = managersOf(context, target, {
    ...live,
    metadata: { ...metadata, managedFields } as typeof metadata,
  });
  const outcome = decide(context, target, { ...apply, live, managers }, options);
  const left = withoutLastApplied(outcome.conflicts, { manager: options.fieldManager, live, kind });
  if (left.size > 0 && !apply.force) throw conflictError(left, managers);
  const object = followLastApplied(outcome.object, apply.config, options.fieldManager);
  return { candidate: decodeMerged(object, live, kind), managedFields: writeManagers(outcome.managers) };
}

function decide(
  context: ApiContext,
  { kind, subresource }: Target,
  apply: { readonly live: KubeObject; readonly config: KubeObject; readonly managers: Managers },
  options: WriteOptions,
): ApplyOutcome {
  const versions = versionsOf(kind, context.kinds);
  const nowMs = context.clock.now();
  return applyConfig({ ...apply, kind, versions, manager: options.fieldManager, subresource, nowMs });
}

/** What was there before the first apply belongs to a manager of that name, so that it cannot be taken in silence. */
function managersOf(context: ApiContext, { kind, subresource }: Target, live: KubeObject): Managers {
  const managers = readManagers(live.metadata.managedFields);
  if (managers === undefined) throw unspecified("failed to decode managed fields: the object's entries are malformed");
  if (managers.size > 0) return managers;
  const versions = versionsOf(kind, context.kinds);
  const writer = { kind, versions, manager: "before-first-apply", subresource, nowMs: context.clock.now() };
  return updateManagers(managers, { old: undefined, next: live }, writer);
}

/** The merged object goes through the decoder like any other: nulls go, values take their types. */
function decodeMerged(stored: KubeObject, live: KubeObject, kind: ResourceKind): KubeObject {
  const shown = inVersion(stored, kind);
  return kind.builtin
    ? decodeObject(cloneJson(shown) as JsonObject, kind).object
    : decodeObject(shown, kind, inVersion(live, kind)).object;
}

function createApplied(context: ApiContext, target: Target, config: KubeObject, options: WriteOptions): StoredObject {
  requireCreate(context, target, options);
  reportBody(options);
  const { kind, namespace, name } = target;
  checkUid(target, config.metadata?.uid ?? "", undefined, true);
  const empty = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: {} } as KubeObject;
  const { managers } = decide(context, target, { live: empty, config, managers: new Map() }, options);
  const object = decodeObject(cloneJson(config) as JsonObject, kind).object;
  const own = () => writeManagers(managers);
  return insert(context, kind, prepareNew(context, { kind, namespace, name }, object, { own, options }), options);
}
