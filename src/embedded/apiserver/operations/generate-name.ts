/** Names made from `metadata.generateName`, and the 409 when a name is taken. Effects: none. */
import type { KubeObject, ObjectMeta } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { alreadyExists, failure, qualified, type StatusError, type Subject } from "../status.ts";
import { type ApiContext, keyOf } from "./context.ts";

/** No vowels and no digits that look like them: no words come out. */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";
const suffixLength = 5;
const maxBaseLength = 58;
const attempts = 8;

export function needsName({ metadata }: KubeObject): boolean {
  return !metadata.name && (metadata.generateName ?? "") !== "";
}

/** A free name, as far as eight tries find one. */
export function generateName(context: ApiContext, kind: ResourceKind, metadata: ObjectMeta): string {
  let name = "";
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    name = `${(metadata.generateName ?? "").slice(0, maxBaseLength)}${randomSuffix()}`;
    if (context.store.get(kind.storage, keyOf(kind, metadata.namespace, name)) === undefined) break;
  }
  return name;
}

export function randomSuffix(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(suffixLength));
  return [...bytes].map((byte) => alphabet[byte % alphabet.length]).join("");
}

export function alreadyThere(subject: Subject, metadata: ObjectMeta, existing: KubeObject): StatusError {
  const error =
    (metadata.generateName ?? "") === "" ? alreadyExists(subject, metadata.name) : noFreeName(subject, metadata);
  if (existing.metadata.deletionTimestamp === undefined) return error;
  const { code, reason = "", details, message = "" } = error.status;
  return failure(code ?? 409, reason, `object is being deleted: ${message}`, details);
}

function noFreeName(subject: Subject, { name }: ObjectMeta): StatusError {
  const why = "the server was not able to generate a unique name for the object";
  const group = subject.group === "" ? {} : { group: subject.group };
  const details = { name, ...group, kind: subject.resource, retryAfterSeconds: 1 };
  return failure(409, "AlreadyExists", `${qualified(subject)} "${name}" already exists, ${why}`, details);
}
