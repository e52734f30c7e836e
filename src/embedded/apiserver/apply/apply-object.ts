/**
 * Server-side apply: merge the configuration over the live object -> remove what this manager gave up -> find conflicts
 * with other managers -> write with the new ownership. Effects: one write at most.
 */
import { forbiddenAccess } from "../authorization/forbidden-access.ts";
import { isObject, type JsonObject } from "../json-value.ts";
import type { KubeObject, ManagedFieldsEntry } from "../object.ts";
import { type ApiContext, keyOf, type Target, type WriteOptions } from "../operations/context.ts";
import { insert, prepareNew } from "../operations/create.ts";
import { decodeBody } from "../operations/decode.ts";
import { updateObject } from "../operations/update.ts";
import { subjectOf } from "../registry/kind.ts";
import { badRequest, failure, notFound, type StatusCause } from "../status.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { emptySet, type FieldSet, formatPath } from "./field-set.ts";
import {
  isManager,
  type Manager,
  type ManagerRecord,
  makeEntry,
  ownableFields,
  readManagers,
  withFields,
} from "./managed-entries.ts";
import { mergeConfig, removeFields } from "./merge-config.ts";
import { compareObjects } from "./track-update.ts";

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
  const config = readConfig(target, request.config, options);
  const { kind, namespace, name, subresource } = target;
  const manager: Manager = {
    manager: options.fieldManager,
    operation: "Apply",
    apiVersion: kind.apiVersion,
    subresource,
  };
  const fields = ownableFields(config, kind, subresource);
  const live = context.store.get(kind.storage, keyOf(kind, namespace, name));
  if (live !== undefined)
    return {
      stored: applyToLive(context, target, { live, config, fields, manager, force: request.force }, options),
      created: false,
    };
  if (subresource !== "") throw notFound(subjectOf(kind), name);
  const silent = { ...options, fieldValidation: "Ignore" } as const;
  requireCreate(context, target, options);
  const own = () => [makeEntry(manager, fields, context.clock.now())];
  const decoded = decodeBody(request.config, kind, silent);
  const object = prepareNew(context, { kind, namespace, name }, decoded, { own, options });
  return { stored: insert(context, kind, object, options), created: true };
}

/** The request was allowed to patch; that it creates is known only now. */
function requireCreate(context: ApiContext, target: Target, { user }: WriteOptions): void {
  const { kind, namespace = "", name, subresource } = target;
  const { group, version, plural } = kind;
  const attributes = { verb: "create", group, version, resource: plural, subresource, name, namespace };
  const { allowed, reason } = context.authorizer.authorize(user, attributes);
  if (!allowed) throw forbiddenAccess(user, attributes, reason);
}

function readConfig(target: Target, raw: unknown, options: WriteOptions): KubeObject {
  if (!isObject(raw) || raw.apiVersion === undefined || raw.kind === undefined) {
    throw badRequest("an applied configuration must be an object with apiVersion and kind");
  }
  if (isObject(raw.metadata) && raw.metadata.managedFields !== undefined)
    throw badRequest("metadata.managedFields must be nil");
  return decodeBody(raw, target.kind, options, { defaults: false });
}

interface LiveApply {
  readonly live: StoredObject;
  readonly config: KubeObject;
  readonly fields: FieldSet;
  readonly manager: Manager;
  readonly force: boolean;
}

function applyToLive(context: ApiContext, target: Target, apply: LiveApply, options: WriteOptions): StoredObject {
  const { live, fields, manager } = apply;
  const managers = readManagers(live.object);
  const others = managers.filter((record) => !isManager(record.entry, manager));
  const previous = managers.find((record) => isManager(record.entry, manager));
  const merged = mergeApplied(target, apply, previous?.fields ?? emptySet, others);
  const silent = { ...options, fieldValidation: "Ignore" } as const;
  const candidate = decodeBody(JSON.parse(JSON.stringify(merged)), target.kind, silent);
  const changed = compareObjects(live.object, candidate, target.kind, target.subresource).taken.intersection(fields);
  const conflicts = findConflicts(others, changed);
  if (conflicts.length > 0 && !apply.force) throw conflictError(conflicts);
  const managedFields = (): ManagedFieldsEntry[] => {
    const kept = others
      .map((record) => withFields(record, record.fields.difference(changed)))
      .filter((entry) => entry !== undefined);
    const own = previous?.fields.equals(fields) ? previous.entry : makeEntry(manager, fields, context.clock.now());
    return fields.isEmpty ? kept : [own, ...kept];
  };
  return updateObject(context, target, { old: live, candidate, managedFields }, options);
}

function mergeApplied(target: Target, apply: LiveApply, before: FieldSet, others: readonly ManagerRecord[]): unknown {
  const { kind, subresource } = target;
  const config = scopeConfig(apply.config, kind.hasStatus ? subresource : undefined);
  const { managedFields: _managed, ...liveMetadata } = apply.live.object.metadata;
  const live = { ...apply.live.object, metadata: liveMetadata };
  const merged = mergeConfig(live, config, kind.schema);
  const kept = others.reduce((all, record) => all.union(record.fields), emptySet);
  const given = before.difference(apply.fields);
  const pruned = removeFields(merged, kind.schema, given, kept.union(apply.fields));
  const shown = kind.fromStorage === undefined ? (pruned as KubeObject) : kind.fromStorage(pruned as KubeObject);
  return { ...shown, apiVersion: kind.apiVersion };
}

/** Through the main endpoint a configuration cannot set status; through status it can set nothing else. */
function scopeConfig(config: KubeObject, subresource: string | undefined): JsonObject {
  if (subresource === undefined) return config;
  const { status, ...rest } = config;
  if (subresource !== "status") return rest;
  const { resourceVersion, uid, name, namespace } = config.metadata;
  const metadata = Object.fromEntries(
    Object.entries({ resourceVersion, uid, name, namespace }).filter(([, value]) => value !== undefined),
  );
  return { apiVersion: config.apiVersion, kind: config.kind, metadata, ...(status === undefined ? {} : { status }) };
}

interface Conflict {
  readonly manager: ManagedFieldsEntry;
  readonly fields: FieldSet;
}

function findConflicts(others: readonly ManagerRecord[], changed: FieldSet): Conflict[] {
  const found = others.map((record) => ({ manager: record.entry, fields: record.fields.intersection(changed) }));
  return found.filter((conflict) => !conflict.fields.isEmpty);
}

function conflictError(conflicts: readonly Conflict[]): Error {
  const causes: StatusCause[] = conflicts.flatMap(({ manager, fields }) =>
    [...fields.paths()].map((path) => ({
      reason: "FieldManagerConflict",
      message: `conflict with ${describeManager(manager)}`,
      field: formatPath(path),
    })),
  );
  const plural = causes.length === 1 ? "conflict" : "conflicts";
  const details = causes.map((one) => `${one.message}: ${one.field}`).join("\n");
  return failure(409, "Conflict", `Apply failed with ${causes.length} ${plural}: ${details}`, { causes });
}

function describeManager(entry: ManagedFieldsEntry): string {
  const subresource = entry.subresource === undefined ? "" : ` with subresource "${entry.subresource}"`;
  const version = entry.operation === "Update" ? ` using ${entry.apiVersion}` : "";
  return `"${entry.manager}"${subresource}${version}`;
}
