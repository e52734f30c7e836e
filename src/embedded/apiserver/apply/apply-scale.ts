/**
 * Server-side apply through the scale subresource: one field, the replicas of the object behind it, is applied and owned.
 * Effects: one write at most.
 */
import { cloneJson, valueAt } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { ApiContext, Target, WriteOptions } from "../operations/context.ts";
import { readObject } from "../operations/read.ts";
import { updateObject } from "../operations/update.ts";
import type { ScalePaths } from "../registry/kind.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { conflictError } from "./conflicts.ts";
import { emptySet, pathSet } from "./field-set.ts";
import { type Manager, type ManagerRecord, managerId, readManagers, writeManagers } from "./managed-entries.ts";
import { setReplicas } from "./set-replicas.ts";

export interface ScaleApply {
  readonly paths: ScalePaths;
  /** Undefined gives the field up. */
  readonly replicas: number | undefined;
  readonly force: boolean;
}

export function applyScale(
  context: ApiContext,
  target: Target,
  apply: ScaleApply,
  options: WriteOptions,
): StoredObject {
  const old = readObject(context, target);
  const { paths, replicas, force } = apply;
  const changes = replicas !== undefined && valueAt(old.object, paths.spec) !== replicas;
  const records = ownershipAfter(old.object, {
    target,
    apply,
    manager: options.fieldManager,
    changes,
  });
  if (records.conflicts.size > 0 && !force) throw conflictError(records.conflicts, asScale(records.before));
  const candidate = changes ? setReplicas(old.object, paths.spec, replicas) : cloneJson(old.object);
  const managedFields = writeManagers(records.after);
  return updateObject(
    context,
    { ...target, subresource: "scale" },
    { old, candidate, managedFields, isPatch: true },
    options,
  );
}

interface Ownership {
  readonly target: Target;
  readonly apply: ScaleApply;
  readonly manager: string;
  readonly changes: boolean;
}

function ownershipAfter(object: KubeObject, { target, apply, manager, changes }: Ownership) {
  const field = pathSet(apply.paths.spec);
  const own: Manager = { manager, operation: "Apply", apiVersion: target.kind.apiVersion, subresource: "scale" };
  const id = managerId(own);
  const before = readManagers(object.metadata.managedFields) ?? new Map<string, ManagerRecord>();
  const after = new Map<string, ManagerRecord>();
  const conflicts = new Map<string, typeof field>();
  for (const [other, record] of before) {
    const lost = other === id || !changes ? emptySet : record.fields.intersection(field);
    if (!lost.isEmpty) conflicts.set(other, pathSet(["spec", "replicas"]));
    const fields = other === id ? record.fields.difference(field) : record.fields.difference(lost);
    if (!fields.isEmpty) after.set(other, { ...record, fields });
  }
  if (apply.replicas !== undefined) {
    const fields = (after.get(id)?.fields ?? emptySet).union(field);
    after.set(id, { ...own, fields, time: before.get(id)?.time });
  }
  return { before, after, conflicts };
}

/** Conflicts are shown in terms of the Scale. */
function asScale(managers: ReadonlyMap<string, ManagerRecord>): ReadonlyMap<string, ManagerRecord> {
  return new Map([...managers].map(([id, record]) => [id, { ...record, apiVersion: "autoscaling/v1" }]));
}
