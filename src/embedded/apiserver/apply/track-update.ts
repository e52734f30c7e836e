/**
 * Managed fields after a write that is not an apply: the writer owns what it added or changed, every other manager loses
 * that and what was removed. Called by creations, updates and patches. Pure.
 */
import { formatTime, type KubeObject, type ManagedFieldsEntry } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { unsetValue } from "../schema/zero-value.ts";
import { type Comparison, compareObjects } from "./compare-objects.ts";
import type { FieldSet } from "./field-set.ts";
import {
  capUpdateManagers,
  type Manager,
  type ManagerRecord,
  type Managers,
  managerId,
  readManagers,
  writeManagers,
} from "./managed-entries.ts";
import { comparisonWithoutReset, withoutIdentity } from "./ownable-fields.ts";
import { reconcileWithSchema } from "./reconcile-schema.ts";
import { ItemKeyError } from "./type-shape.ts";
import { inVersion, type Versions } from "./versions.ts";

export interface Writer {
  readonly kind: ResourceKind;
  readonly versions: Versions;
  readonly manager: string;
  readonly subresource: string;
  readonly nowMs: number;
}

/**
 * @param old what is stored, undefined for a creation
 * @param next as the client wants it, defaulted, its managed fields as sent
 */
export function trackUpdate(old: KubeObject | undefined, next: KubeObject, writer: Writer): ManagedFieldsEntry[] {
  try {
    return track(old, next, writer);
  } catch (error) {
    // As in Kubernetes such an object loses its managed fields; whether it is valid at all is for validation to say.
    if (error instanceof ItemKeyError) return [];
    throw error;
  }
}

function track(old: KubeObject | undefined, next: KubeObject, writer: Writer): ManagedFieldsEntry[] {
  const managers = managersToStartWith(old, next, writer.subresource);
  // Who asked for the ownership of an object to be forgotten gets no new one until somebody applies.
  if (managers.size === 0 && old !== undefined) return [];
  return writeManagers(capUpdateManagers(updateManagers(managers, { old, next }, writer)));
}

/** A client may edit managed fields through the main endpoint, and forget them with an empty list or one empty entry. */
function managersToStartWith(old: KubeObject | undefined, next: KubeObject, subresource: string): Managers {
  const stored = () => readManagers(old?.metadata.managedFields) ?? new Map();
  if (subresource !== "") return stored();
  const sent: unknown = next.metadata.managedFields;
  if (isReset(sent)) return new Map();
  const managers = readManagers(sent);
  return managers === undefined || managers.size === 0 ? stored() : managers;
}

function isReset(entries: unknown): boolean {
  if (!Array.isArray(entries)) return false;
  return entries.length === 0 || (entries.length === 1 && Object.keys(Object(entries[0])).length === 0);
}

export interface Change {
  readonly old: KubeObject | undefined;
  readonly next: KubeObject;
}

export function updateManagers(managers: Managers, change: Change, writer: Writer): Managers {
  const { kind, subresource } = writer;
  const manager: Manager = {
    manager: writer.manager || "unknown",
    operation: "Update",
    apiVersion: kind.apiVersion,
    subresource,
  };
  const found = compareIn(kind, change, subresource);
  const result = new Map(takeFromOthers(managers, change, { ...writer, known: [kind, found] }).managers);
  const taken = withoutIdentity(found.added.union(found.modified));
  if (taken.isEmpty) return result;
  const id = managerId(manager);
  const before = result.get(id);
  const fields = before === undefined ? taken : before.fields.union(taken);
  // Kubernetes carries only the times of the object's own entries over from a Scale: a new one has none.
  const time = subresource === "scale" ? before?.time : formatTime(writer.nowMs);
  result.set(id, { ...manager, time, fields });
  return result;
}

/** The comparison of one version, without what the endpoint resets. */
export function compareIn(kind: ResourceKind, { old, next }: Change, subresource: string): Comparison {
  const before = old === undefined ? emptyObject(kind) : inVersion(withoutEntries(old), kind);
  const found = compareObjects(before, inVersion(withoutEntries(next), kind), kind.schema);
  return comparisonWithoutReset(found, kind, subresource);
}

/** Structs of the built-in types that are no pointers, and required fields, are there from the start: nobody adds them. */
function emptyObject(kind: ResourceKind): unknown {
  return kind.builtin ? unsetValue(kind.schema) : { metadata: {} };
}

function withoutEntries(object: KubeObject): KubeObject {
  const { managedFields: _entries, ...metadata } = object.metadata;
  return { ...object, metadata };
}

export interface Taking {
  readonly versions: Versions;
  readonly subresource: string;
  /** The comparison in the writer's own version. */
  readonly known: readonly [ResourceKind, Comparison];
  /** The applier, whose own record is settled elsewhere. */
  readonly except?: string;
}

export interface Taken {
  readonly managers: Managers;
  /** What each manager lost because the value changed; what was removed is no conflict. */
  readonly conflicts: ReadonlyMap<string, FieldSet>;
}

export function takeFromOthers(managers: Managers, change: Change, taking: Taking): Taken {
  const result = new Map<string, ManagerRecord>();
  const conflicts = new Map<string, FieldSet>();
  const comparisons = new Map<string, Comparison>([[taking.known[0].apiVersion, taking.known[1]]]);
  for (const [id, record] of managers) {
    const kind = taking.versions.kindOf(record.apiVersion);
    if (id === taking.except) result.set(id, record);
    if (id === taking.except || kind === undefined) continue;
    const found = comparisons.get(record.apiVersion) ?? compareIn(kind, change, taking.subresource);
    comparisons.set(record.apiVersion, found);
    const owned = reconcileWithSchema(record.fields, kind.schema);
    const lost = owned.intersection(found.modified.union(found.added));
    if (!lost.isEmpty) conflicts.set(id, lost);
    const fields = owned.difference(lost).difference(found.removed);
    if (!fields.isEmpty) result.set(id, fields === record.fields ? record : { ...record, fields });
  }
  return { managers: result, conflicts };
}
