/** Finding one object, or a 404. */
import { subjectOf } from "../registry/kind.ts";
import { notFound } from "../status.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { type ApiContext, keyOf, type Target } from "./context.ts";

export function readObject(context: ApiContext, target: Omit<Target, "subresource">): StoredObject {
  const { kind, namespace, name } = target;
  const stored = context.store.get(kind.storage, keyOf(kind, namespace, name));
  if (stored === undefined) throw notFound(subjectOf(kind), name);
  return stored;
}
