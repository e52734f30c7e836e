/**
 * What of an update reaches the stored object: its main part or its status, with what clients cannot set carried over.
 * Pure: returns fresh objects.
 */
import { deepEqual } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { cause, type StatusCause } from "../status.ts";
import type { Target } from "./context.ts";
import { metadataResetByStatus } from "./update-rules.ts";

export function selectParts({ kind, subresource }: Target, old: KubeObject, candidate: KubeObject): KubeObject {
  const select = kind.strategy.subresourceParts?.[subresource];
  if (select !== undefined) return select(old, candidate);
  if (subresource === "status") return withStatus(kind, old, candidate);
  if (subresource === "binding") return { ...candidate, metadata: { ...candidate.metadata } };
  return withoutStatus(kind, old, candidate);
}

/** Custom resources take only the status; most built-in kinds also take metadata, as their Go strategies do. */
function withStatus(kind: ResourceKind, old: KubeObject, candidate: KubeObject): KubeObject {
  const reset = metadataResetByStatus(kind);
  const metadata = reset.some((path) => path.length === 1) ? { ...old.metadata } : { ...candidate.metadata };
  for (const [, field] of reset) {
    if (field === undefined) continue;
    if (old.metadata[field] === undefined) delete metadata[field];
    else metadata[field] = old.metadata[field];
  }
  const { status: _status, ...rest } = old;
  return withOptional({ ...rest, metadata }, "status", candidate.status);
}

function withoutStatus(kind: ResourceKind, old: KubeObject, candidate: KubeObject): KubeObject {
  if (!kind.hasStatus) return { ...candidate, metadata: { ...candidate.metadata } };
  const { status: _status, ...rest } = candidate;
  return withOptional({ ...rest, metadata: { ...candidate.metadata } }, "status", old.status);
}

function withOptional(object: KubeObject, field: string, value: unknown): KubeObject {
  return value === undefined ? object : { ...object, [field]: value };
}

/** Set by the server alone. A client that sends other values is not refused but overruled. */
export function carrySystemFields(next: KubeObject, old: KubeObject): void {
  const { metadata } = next;
  next.apiVersion = old.apiVersion;
  metadata.name = old.metadata.name;
  if (old.metadata.namespace === undefined) delete metadata.namespace;
  else metadata.namespace = old.metadata.namespace;
  for (const field of ["uid", "creationTimestamp", "generation"]) carry(next, old, field);
  if (old.metadata.deletionTimestamp !== undefined) carry(next, old, "deletionTimestamp");
  if (metadata.deletionGracePeriodSeconds === undefined) carry(next, old, "deletionGracePeriodSeconds");
  delete metadata.selfLink;
  delete metadata.resourceVersion;
}

function carry(next: KubeObject, old: KubeObject, field: string): void {
  if (old.metadata[field] === undefined) delete next.metadata[field];
  else next.metadata[field] = old.metadata[field];
}

const collections = ["labels", "annotations", "finalizers", "ownerReferences"];

/** What holds nothing is not written, as in every answer of a server that is written in Go. Changes the given object. */
export function dropEmptyMetadata({ metadata }: KubeObject): void {
  for (const field of collections) {
    const value = metadata[field];
    if (typeof value === "object" && value !== null && Object.keys(value).length === 0) delete metadata[field];
  }
}

/** An update cannot begin a deletion, nor change how one goes on. */
export function checkDeletionFields(next: KubeObject, old: KubeObject): StatusCause[] {
  const findings: StatusCause[] = [];
  for (const field of ["deletionTimestamp", "deletionGracePeriodSeconds"]) {
    const value = next.metadata[field];
    if (value !== old.metadata[field]) findings.push(cause.invalid(`metadata.${field}`, value, "field is immutable"));
  }
  return [...checkNewFinalizers(next, old), ...findings];
}

function checkNewFinalizers(next: KubeObject, old: KubeObject): StatusCause[] {
  if (old.metadata.deletionTimestamp === undefined) return [];
  const before = old.metadata.finalizers ?? [];
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !before.includes(finalizer));
  if (added.length === 0) return [];
  const list = [...new Set(added)].sort().map((finalizer) => JSON.stringify(finalizer));
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list.join(", ")}}`;
  return [cause.forbidden("metadata.finalizers", detail)];
}

/** Outside of metadata and status: what `metadata.generation` counts. */
export function contentChanged(kind: ResourceKind, old: KubeObject, next: KubeObject): boolean {
  const content = (object: KubeObject) => {
    const { metadata: _metadata, apiVersion: _apiVersion, ...rest } = object;
    if (kind.hasStatus) delete rest.status;
    return rest;
  };
  return !deepEqual(content(old), content(next));
}

/** The last finalizer of an object that is being deleted is gone, and nothing else keeps it. */
export function isFinished(next: KubeObject, old: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = old.metadata;
  if (deletionTimestamp === undefined || (next.metadata.finalizers ?? []).length > 0) return false;
  const waitsForController =
    next.kind === "Namespace" && ((next.spec as { finalizers?: string[] } | undefined)?.finalizers ?? []).length > 0;
  return (deletionGracePeriodSeconds ?? 0) === 0 && !waitsForController;
}
