/**
 * Whether an update means the object that is stored: its name, namespace, UID and version. Called by updates before
 * anything is prepared. Pure: throws a StatusError.
 */
import type { KubeObject } from "../object.ts";
import { subjectOf } from "../registry/kind.ts";
import { badRequest, cause, conflict, invalid, staleObject, unspecified } from "../status.ts";
import { keyOf, type Target } from "./context.ts";
import { requiresVersion } from "./update-rules.ts";

/** The namespace may be left out, the name may not. */
export function checkAddress(target: Target, { metadata }: KubeObject): void {
  if (target.kind.namespaced) checkNamespace(metadata.namespace ?? "", target.namespace ?? "");
  const name = metadata.name ?? "";
  if (name === "")
    throw badRequest(`the name of the object (${target.name} based on URL) was undeterminable: name must be provided`);
  if (name !== target.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${target.name})`);
}

export function checkNamespace(given: string, requested: string): void {
  if (given !== "" && given !== requested)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

/** A UID in a replacement is a precondition; in the result of a patch it is a field that cannot change. */
export function checkUid(target: Target, uid: string, old: KubeObject | undefined, isPatch: boolean): void {
  const stored = old?.metadata.uid ?? "";
  if (uid === "" || uid === stored) return;
  if (isPatch && old !== undefined) {
    const finding = cause.invalid("metadata.uid", uid, "field is immutable");
    throw invalid({ resource: target.kind.kind, group: target.kind.group }, target.name, [finding]);
  }
  if (isPatch) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(subjectOf(target.kind), target.name, why);
  }
  throw conflict(subjectOf(target.kind), target.name, storageError(target, uid, stored));
}

/** The storage layer's own words, as the real server passes them on. */
function storageError(target: Target, wanted: string, stored: string): string {
  const { kind, namespace, name } = target;
  const folder = kind.builtin ? kind.plural : `${kind.group}/${kind.plural}`;
  const key = `/registry/${folder}/${keyOf(kind, namespace, name)}`;
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${stored}`;
  return `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`;
}

/** Without a version most kinds are overwritten unconditionally. */
export function checkVersion(target: Target, old: KubeObject, version: string): void {
  const isUnset = version === "" || version === "0";
  if (isUnset && !requiresVersion(target.kind)) return;
  if (isUnset) {
    const finding = cause.invalid("metadata.resourceVersion", 0, "must be specified for an update");
    throw invalid(subjectOf(target.kind), target.name, [finding]);
  }
  if (version === old.metadata.resourceVersion) return;
  if (!/^\d+$/.test(version)) {
    throw unspecified(`strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`);
  }
  throw staleObject(subjectOf(target.kind), target.name);
}
