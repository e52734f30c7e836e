/**
 * The decision of a server-side apply: merge the configuration over the live object -> take out what this manager gave
 * up -> see what that takes from others. Conflicts are for the caller to refuse or force. Pure.
 */
import { deepEqual } from "../json-value.ts";
import { formatTime, type KubeObject } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import type { Schema } from "../schema/schema.ts";
import { emptySet, type FieldSet } from "./field-set.ts";
import { type Manager, type ManagerRecord, type Managers, managerId } from "./managed-entries.ts";
import { mergeConfig, removeFields } from "./merge-config.ts";
import { fieldsOf } from "./object-fields.ts";
import { withoutIdentity, withoutReset } from "./ownable-fields.ts";
import { reconcileWithSchema } from "./reconcile-schema.ts";
import { compareIn, takeFromOthers } from "./track-update.ts";
import { inVersion, toStored, type Versions } from "./versions.ts";

export interface ApplyInput {
  readonly kind: ResourceKind;
  readonly versions: Versions;
  /** As stored, without managed fields. */
  readonly live: KubeObject;
  /** In the kind's version. */
  readonly config: KubeObject;
  readonly managers: Managers;
  readonly manager: string;
  readonly subresource: string;
  readonly nowMs: number;
}

export interface ApplyOutcome {
  /** As stored. The live object itself when nothing but ownership changes. */
  readonly object: KubeObject;
  readonly managers: Managers;
  /** By manager, what of others this apply changes. */
  readonly conflicts: ReadonlyMap<string, FieldSet>;
}

export function applyConfig(input: ApplyInput): ApplyOutcome {
  const { kind, versions, live, config, subresource } = input;
  const manager: Manager = { manager: input.manager, operation: "Apply", apiVersion: kind.apiVersion, subresource };
  const id = managerId(manager);
  const managers = reconcileAll(input.managers, versions);
  const last = managers.get(id);
  const fields = withoutReset(fieldsOf(config, kind.schema), kind, subresource);
  const settled = new Map(managers).set(id, { ...manager, time: last?.time, fields });
  const shown = inVersion(live, kind);
  const merged = mergeConfig(shown, config, kind.schema) as KubeObject;
  const pruned = prune(merged, { kind, versions, last, managers: settled });
  const changed = !deepEqual(shown, pruned);
  const object = changed ? toStored(pruned, kind) : live;
  const found = compareIn(kind, { old: live, next: object }, subresource);
  const taken = takeFromOthers(
    settled,
    { old: live, next: object },
    { versions, subresource, known: [kind, found], except: id },
  );
  return {
    object,
    conflicts: taken.conflicts,
    managers: ownRecord(taken.managers, id, changed ? input.nowMs : undefined),
  };
}

function reconcileAll(managers: Managers, versions: Versions): Managers {
  const result = new Map<string, ManagerRecord>();
  for (const [id, record] of managers) {
    const kind = versions.kindOf(record.apiVersion);
    if (kind !== undefined) result.set(id, { ...record, fields: reconcileWithSchema(record.fields, kind.schema) });
  }
  return result;
}

/** Identity is stripped at the end, so that it takes part in the merge. The time is that of the last change. */
function ownRecord(managers: Managers, id: string, nowMs: number | undefined): Managers {
  const result = new Map(managers);
  const own = managers.get(id);
  if (own === undefined) return result;
  const fields = withoutIdentity(own.fields);
  if (fields.isEmpty) result.delete(id);
  else result.set(id, { ...own, fields, time: nowMs === undefined ? own.time : formatTime(nowMs) });
  return result;
}

interface Pruning {
  readonly kind: ResourceKind;
  readonly versions: Versions;
  /** What the manager owned before this apply. */
  readonly last: ManagerRecord | undefined;
  /** With the manager's new record. */
  readonly managers: Managers;
}

/** Removes what the manager owned and no longer names, unless somebody (it too) owns it or it was not its own alone. */
function prune(merged: KubeObject, pruning: Pruning): KubeObject {
  const { kind, versions, last } = pruning;
  const lastKind = last === undefined ? undefined : versions.kindOf(last.apiVersion);
  if (last === undefined || last.fields.isEmpty || lastKind === undefined) return merged;
  const base = convert(merged, kind, lastKind);
  const without = removeFields(base, last.fields.withNamedFields(lastKind.schema), lastKind.schema) as KubeObject;
  const kept = addBackOwned(base, without, lastKind, pruning);
  return convert(addBackDangling(base, kept, last.fields, lastKind.schema), lastKind, kind);
}

function convert(object: KubeObject, from: ResourceKind, to: ResourceKind): KubeObject {
  return from === to ? object : inVersion(toStored(object, from), to);
}

/** In the pruned version first, then in every other that somebody manages. */
function addBackOwned(base: KubeObject, without: KubeObject, lastKind: ResourceKind, pruning: Pruning): KubeObject {
  const owned = new Map<string, FieldSet>([[lastKind.apiVersion, emptySet]]);
  for (const { apiVersion, fields } of pruning.managers.values())
    owned.set(apiVersion, (owned.get(apiVersion) ?? emptySet).union(fields));
  let kept = without;
  for (const [apiVersion, fields] of owned) {
    const kind = pruning.versions.kindOf(apiVersion);
    if (kind === undefined) continue;
    const all = convert(base, lastKind, kind);
    const rest = keepOwned(all, convert(kept, lastKind, kind), fields, kind.schema);
    kept = convert(rest, kind, lastKind);
  }
  return kept;
}

function keepOwned(all: KubeObject, kept: KubeObject, owned: FieldSet, schema: Schema): KubeObject {
  const stays = namedFieldsOf(kept, schema).union(owned.withNamedFields(schema));
  return removeFields(all, namedFieldsOf(all, schema).difference(stays), schema) as KubeObject;
}

/** Whatever else went with a removed parent was nobody's, and comes back. */
function addBackDangling(all: KubeObject, kept: KubeObject, last: FieldSet, schema: Schema): KubeObject {
  const gone = namedFieldsOf(all, schema).difference(namedFieldsOf(kept, schema));
  return removeFields(all, gone.intersection(last.withNamedFields(schema)), schema) as KubeObject;
}

const namedFieldsOf = (object: KubeObject, schema: Schema): FieldSet =>
  fieldsOf(object, schema).withNamedFields(schema);
