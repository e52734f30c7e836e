/**
 * Managed fields as one record per manager, and back. A manager is a name, an operation, a subresource and, for updates,
 * the API version. Pure.
 */
import { isObject } from "../json-value.ts";
import type { ManagedFieldsEntry } from "../object.ts";
import type { FieldSet } from "./field-set.ts";
import { fieldsFromJson, fieldsToJson } from "./shared-fields.ts";

export interface Manager {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
}

export interface ManagerRecord extends Manager {
  /** Absent for a manager that applied what was there already. */
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** By `managerId`. */
export type Managers = ReadonlyMap<string, ManagerRecord>;

/** An applier is the same whatever version it applies; an updater is another one under another version. */
export function managerId({ manager, operation, apiVersion, subresource }: Manager): string {
  return JSON.stringify([manager, operation, operation === "Apply" ? "" : apiVersion, subresource]);
}

/** Undefined when an entry is malformed: clients may write anything there. */
export function readManagers(entries: unknown): Managers | undefined {
  const result = new Map<string, ManagerRecord>();
  if (entries === undefined || entries === null) return result;
  if (!Array.isArray(entries)) return undefined;
  for (const entry of entries) {
    const record = readEntry(entry);
    if (record === undefined) return undefined;
    result.set(managerId(record), record);
  }
  return result;
}

function readEntry(entry: unknown): ManagerRecord | undefined {
  if (!isObject(entry)) return undefined;
  const { manager = "", operation, apiVersion, time, fieldsType, fieldsV1, subresource = "" } = entry;
  if (operation !== "Apply" && operation !== "Update") return undefined;
  if (typeof apiVersion !== "string" || apiVersion === "" || fieldsType !== "FieldsV1") return undefined;
  if (typeof manager !== "string" || typeof subresource !== "string") return undefined;
  const fields = fieldsFromJson(fieldsV1 ?? {});
  return { manager, operation, apiVersion, subresource, fields, time: typeof time === "string" ? time : undefined };
}

export function writeManagers(managers: Managers): ManagedFieldsEntry[] {
  return [...managers.values()].sort(compareRecords).map(toEntry);
}

function toEntry({ manager, operation, apiVersion, time, fields, subresource }: ManagerRecord): ManagedFieldsEntry {
  return {
    manager,
    operation,
    apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: "FieldsV1",
    fieldsV1: fieldsToJson(fields),
    ...(subresource !== "" && { subresource }),
  };
}

function compareRecords(a: ManagerRecord, b: ManagerRecord): number {
  return (
    compareText(a.operation, b.operation) ||
    secondsOf(a) - secondsOf(b) ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function secondsOf({ time }: ManagerRecord): number {
  return time === undefined ? 0 : Math.floor(Date.parse(time) / 1000) || 0;
}

const maxUpdateManagers = 10;
const ancientManager = "ancient-changes";

/** Beyond ten updaters the oldest ones are merged into one entry per version, so that the list cannot grow for ever. */
export function capUpdateManagers(managers: Managers): Managers {
  const updaters = [...managers].filter(([, record]) => record.operation === "Update");
  if (updaters.length <= maxUpdateManagers) return managers;
  updaters.sort(([a, one], [b, other]) => secondsOf(one) - secondsOf(other) || compareText(a, b));
  const result = new Map(managers);
  const firstOfVersion = new Map<string, string>();
  let left = updaters.length;
  for (const [id, record] of updaters) {
    if (left <= maxUpdateManagers) break;
    const first = firstOfVersion.get(record.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(record.apiVersion, id);
      continue;
    }
    mergeInto(result, first, id, record);
    left -= 1;
  }
  return result;
}

function mergeInto(result: Map<string, ManagerRecord>, first: string, id: string, record: ManagerRecord): void {
  const bucket = { ...record, manager: ancientManager, subresource: "" };
  const bucketId = managerId(bucket);
  const before = result.get(bucketId) ?? result.get(first);
  if (!result.has(bucketId)) result.delete(first);
  result.delete(id);
  // The newer one's time: the entries are taken oldest first.
  result.set(bucketId, before === undefined ? bucket : { ...bucket, fields: record.fields.union(before.fields) });
}
