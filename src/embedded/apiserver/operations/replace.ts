/** PUT: replaces an object or its status, or creates it where the kind allows that. Effects: one write at most. */
import { forbiddenAccess } from "../authorization/forbidden-access.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import { type ApiContext, keyOf, type Target, type WriteOptions } from "./context.ts";
import { createDecoded } from "./create.ts";
import { decodeBody } from "./decode.ts";
import { checkAddress, checkUid } from "./identity.ts";
import { readObject } from "./read.ts";
import { updateObject } from "./update.ts";
import { allowsCreateOnUpdate } from "./update-rules.ts";

export interface Replaced {
  readonly stored: StoredObject;
  readonly created: boolean;
}

export function replaceObject(context: ApiContext, target: Target, body: unknown, options: WriteOptions): Replaced {
  const { kind, namespace, name, subresource } = target;
  const candidate = decodeBody(body, kind, options);
  checkAddress(target, candidate);
  const isMissing = context.store.get(kind.storage, keyOf(kind, namespace, name)) === undefined;
  if (!isMissing || subresource !== "" || !allowsCreateOnUpdate(kind)) {
    const old = readObject(context, target);
    return { stored: updateObject(context, target, { old, candidate }, options), created: false };
  }
  checkUid(target, candidate.metadata.uid ?? "", undefined, false);
  requireCreate(context, target, options);
  return { stored: createDecoded(context, { kind, namespace, name }, candidate, options), created: true };
}

/** The request was allowed to update; that it creates is known only now. */
export function requireCreate(context: ApiContext, target: Target, { user }: WriteOptions): void {
  const { kind, namespace = "", name, subresource } = target;
  const { group, version, plural } = kind;
  const attributes = { verb: "create", group, version, resource: plural, subresource, name, namespace };
  const { allowed, reason } = context.authorizer.authorize(user, attributes);
  if (!allowed) throw forbiddenAccess(user, attributes, reason);
}
