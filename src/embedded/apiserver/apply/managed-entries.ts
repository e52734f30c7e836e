/** Managed fields as one set per manager, and back. A manager is a name, an operation, a version and a subresource. */
import { formatTime, type KubeObject, type ManagedFieldsEntry } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { FieldSet, fieldSetFromJson } from "./field-set.ts";
import { fieldsOf } from "./object-fields.ts";

export interface ManagerRecord {
  readonly entry: ManagedFieldsEntry;
  readonly fields: FieldSet;
}

export function readManagers(object: KubeObject | undefined): ManagerRecord[] {
  const entries = object?.metadata.managedFields ?? [];
  return entries
    .filter((entry) => entry.fieldsV1 !== undefined)
    .map((entry) => ({ entry, fields: fieldSetFromJson(entry.fieldsV1) }));
}

export interface Manager {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
}

/** An applier is the same whatever version it applies; an updater is another one under another version. */
export function isManager(entry: ManagedFieldsEntry, manager: Manager): boolean {
  if (entry.manager !== manager.manager || entry.operation !== manager.operation) return false;
  if ((entry.subresource ?? "") !== manager.subresource) return false;
  return manager.operation === "Apply" || entry.apiVersion === manager.apiVersion;
}

export function makeEntry(manager: Manager, fields: FieldSet, nowMs: number): ManagedFieldsEntry {
  const base = {
    manager: manager.manager,
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    time: formatTime(nowMs),
    fieldsType: "FieldsV1",
    fieldsV1: fields.toJson(),
  } as const;
  return manager.subresource === "" ? base : { ...base, subresource: manager.subresource };
}

/** The record with other fields: unchanged if they are the same, gone if none are left. */
export function withFields(record: ManagerRecord, fields: FieldSet): ManagedFieldsEntry | undefined {
  if (fields.isEmpty) return undefined;
  return fields.equals(record.fields) ? record.entry : { ...record.entry, fieldsV1: fields.toJson() };
}

const unmanaged = fieldSetFromJson({
  "f:apiVersion": {},
  "f:kind": {},
  "f:metadata": {
    ".": {},
    ...Object.fromEntries(
      [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "selfLink",
        "managedFields",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generateName",
      ].map((name) => [`f:${name}`, {}]),
    ),
  },
});
const statusOnly = fieldSetFromJson({ "f:status": {} });

/** What a manager can own through an endpoint: never identity, and status only through its own subresource. */
export function ownableFields(object: KubeObject, kind: ResourceKind, subresource: string): FieldSet {
  const all = withoutUnmanaged(fieldsOf(object, kind.schema));
  if (!kind.hasStatus) return all;
  if (subresource !== "status") return all.withoutSubtrees(statusOnly);
  const status = all.children.get("f:status");
  return status === undefined ? new FieldSet(false) : new FieldSet(false, new Map([["f:status", status]]));
}

function withoutUnmanaged(fields: FieldSet): FieldSet {
  const metadata = fields.children.get("f:metadata");
  const children = new Map(fields.children);
  const strip = unmanaged.children.get("f:metadata");
  children.delete("f:apiVersion");
  children.delete("f:kind");
  if (metadata !== undefined && strip !== undefined) {
    const kept = new Map([...metadata.children].filter(([element]) => !strip.children.has(element)));
    if (kept.size === 0) children.delete("f:metadata");
    else children.set("f:metadata", new FieldSet(false, kept));
  }
  return new FieldSet(false, children);
}
