/**
 * Managed fields after a write that is not an apply: the writer owns what it added or changed, every other manager
 * loses that and what was removed. Pure.
 */
import type { KubeObject, ManagedFieldsEntry } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { emptySet, type FieldSet } from "./field-set.ts";
import { isManager, type Manager, makeEntry, ownableFields, readManagers, withFields } from "./managed-entries.ts";
import { modifiedFields } from "./object-fields.ts";

export interface Writer {
  readonly kind: ResourceKind;
  readonly manager: string;
  readonly subresource: string;
  readonly nowMs: number;
}

export function trackUpdate(old: KubeObject | undefined, next: KubeObject, writer: Writer): ManagedFieldsEntry[] {
  const { kind, subresource } = writer;
  const manager: Manager = { manager: writer.manager, operation: "Update", apiVersion: kind.apiVersion, subresource };
  const { taken, removed } = compareObjects(old, next, kind, subresource);
  const result: ManagedFieldsEntry[] = [];
  let own: FieldSet = taken;
  let ownEntry: ManagedFieldsEntry | undefined;
  for (const record of readManagers(next)) {
    if (isManager(record.entry, manager)) {
      own = record.fields.difference(removed).union(taken);
      ownEntry = own.equals(record.fields) ? record.entry : undefined;
      continue;
    }
    const entry = withFields(record, record.fields.difference(taken).difference(removed));
    if (entry !== undefined) result.push(entry);
  }
  if (!own.isEmpty) result.push(ownEntry ?? makeEntry(manager, own, writer.nowMs));
  return result;
}

export interface Comparison {
  /** Added or changed. */
  readonly taken: FieldSet;
  readonly removed: FieldSet;
}

export function compareObjects(
  old: KubeObject | undefined,
  next: KubeObject,
  kind: ResourceKind,
  subresource: string,
): Comparison {
  const after = ownableFields(next, kind, subresource);
  if (old === undefined) return { taken: after, removed: emptySet };
  const before = ownableFields(old, kind, subresource);
  const modified = modifiedFields(old, next, kind.schema).intersection(after);
  return { taken: after.difference(before).union(modified), removed: before.difference(after) };
}
