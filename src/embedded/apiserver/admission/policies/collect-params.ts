/** The parameters of a policy under one binding: none, one by name, or all that a selector finds. Pure. */
import { asObject, asString, isObject, type JsonObject } from "../../json-value.ts";
import { type KubeObject, specOf } from "../../object.ts";
import { type ApiContext, keyOf } from "../../operations/context.ts";
import type { ResourceKind } from "../../registry/kind.ts";
import { selectorMatches } from "../../validation/label-selectors.ts";

/** What is wrong with a policy or a binding, for which the failure policy decides. */
export class PolicyConfigurationError extends Error {
  override readonly name = "PolicyConfigurationError";
}

/** Null stands for an evaluation without parameters. */
export function collectParams(
  policy: KubeObject,
  binding: KubeObject,
  requestNamespace: string,
  context: ApiContext,
): ReadonlyArray<KubeObject | null> {
  const paramKind = specOf(policy).paramKind;
  const paramRef = specOf(binding).paramRef;
  if (!isObject(paramKind) || !isObject(paramRef)) return [null];
  const kind = context.kinds.findByKind(asString(paramKind.apiVersion), asString(paramKind.kind));
  if (kind === undefined)
    throw new PolicyConfigurationError(
      `paramKind kind \`${asString(paramKind.apiVersion)}, Kind=${asString(paramKind.kind)}\` not known`,
    );
  const found = findParams(paramRef, kind, namespaceOf(paramRef, kind, requestNamespace), context);
  if (found.length === 0 && paramRef.parameterNotFoundAction === "Deny")
    throw new PolicyConfigurationError("no params found for policy binding with `Deny` parameterNotFoundAction");
  return found.map((object) => ({
    ...(kind.fromStorage?.(object) ?? object),
    apiVersion: kind.apiVersion,
    kind: kind.kind,
  }));
}

function namespaceOf(paramRef: JsonObject, kind: ResourceKind, requestNamespace: string): string | undefined {
  const named = asString(paramRef.namespace);
  if (!kind.namespaced) {
    if (named === "") return undefined;
    throw new PolicyConfigurationError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
  }
  const namespace = named || requestNamespace;
  if (namespace !== "") return namespace;
  throw new PolicyConfigurationError(
    "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
  );
}

function findParams(
  paramRef: JsonObject,
  kind: ResourceKind,
  namespace: string | undefined,
  { store }: ApiContext,
): KubeObject[] {
  const name = asString(paramRef.name);
  if (name !== "") {
    const stored = store.get(kind.storage, keyOf(kind, namespace, name));
    return stored === undefined ? [] : [stored.object];
  }
  const scope = namespace === undefined ? {} : { namespace };
  const all = store.list(kind.storage, scope).items.map((item) => item.object);
  return all.filter((object) => selectorMatches(asObject(paramRef.selector), object.metadata.labels ?? {}));
}
