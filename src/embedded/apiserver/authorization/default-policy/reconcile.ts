/**
 * Brings the default roles and bindings up to date at the start of the server: missing ones are created, missing rules
 * and subjects are added, what people added stays; an object whose `autoupdate` annotation is not "true" is left alone.
 * A missing subject comes back as a missing rule does. Effects: creations and updates.
 */
import { asArray, asObject, deepEqual, type JsonObject } from "../../json-value.ts";
import type { KubeObject } from "../../object.ts";
import { type ApiContext, internalWrite, keyOf } from "../../operations/context.ts";
import { createObject } from "../../operations/create.ts";
import { updateObject } from "../../operations/update.ts";
import type { ResourceKind } from "../../registry/kind.ts";
import { missingRules, readRule } from "../policy-rule.ts";
import { account, clusterBindings, type DefaultSubject, namespacePolicies } from "./bindings.ts";
import { controllerRoles } from "./controller-roles.ts";
import { type DefaultRole, parseRoles } from "./notation.ts";
import { systemRoles } from "./system-roles.ts";
import { userRoles } from "./user-roles.ts";

const group = "rbac.authorization.k8s.io";
const autoUpdate = "rbac.authorization.kubernetes.io/autoupdate";
const controllerPrefix = "system:controller:";

export function reconcileDefaultPolicy(context: ApiContext): void {
  const controllers = parseRoles(controllerRoles);
  for (const role of [...parseRoles(userRoles), ...parseRoles(systemRoles), ...controllers])
    ensure(context, buildRole(role, undefined));
  for (const [role, subjects] of Object.entries(clusterBindings))
    ensure(context, buildBinding({ name: role, role, subjects }, undefined));
  for (const { name } of controllers) {
    const subjects = [account(name.slice(controllerPrefix.length))];
    ensure(context, buildBinding({ name, role: name, subjects }, undefined));
  }
  for (const { namespace, roles, bindings } of namespacePolicies) {
    for (const role of roles) ensure(context, buildRole(role, namespace));
    for (const binding of bindings) ensure(context, buildBinding(binding, namespace));
  }
}

function metadataOf(name: string, namespace: string | undefined, labels: Readonly<Record<string, string>> = {}) {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...labels },
    annotations: { [autoUpdate]: "true" },
  };
}

function buildRole(role: DefaultRole, namespace: string | undefined): KubeObject {
  const aggregation =
    role.aggregates === undefined
      ? {}
      : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [role.aggregates]: "true" } }] } };
  return {
    apiVersion: `${group}/v1`,
    kind: namespace === undefined ? "ClusterRole" : "Role",
    metadata: metadataOf(role.name, namespace, role.labels),
    ...aggregation,
    rules: role.rules.map((rule) => ({ ...rule })),
  };
}

function buildBinding(
  binding: { name: string; role: string; subjects: readonly DefaultSubject[] },
  namespace: string | undefined,
): KubeObject {
  const subjects = binding.subjects.map((subject) =>
    subject.kind === "ServiceAccount" ? { ...subject } : { ...subject, apiGroup: group },
  );
  return {
    apiVersion: `${group}/v1`,
    kind: namespace === undefined ? "ClusterRoleBinding" : "RoleBinding",
    metadata: metadataOf(binding.name, namespace),
    roleRef: { apiGroup: group, kind: namespace === undefined ? "ClusterRole" : "Role", name: binding.role },
    ...(subjects.length === 0 ? {} : { subjects }),
  };
}

const writer = internalWrite("kube-apiserver");

function ensure(context: ApiContext, wanted: KubeObject): void {
  const kind = context.kinds.findByKind(`${group}/v1`, String(wanted.kind));
  if (kind === undefined) throw new Error(`default policy: ${String(wanted.kind)} is not a served kind`);
  const { name, namespace } = wanted.metadata;
  const old = context.store.get(kind.storage, keyOf(kind, namespace, name));
  if (old === undefined) {
    createObject(context, { kind, namespace }, wanted, writer);
    return;
  }
  const candidate = merge(kind, old.object, wanted);
  if (candidate === undefined) return;
  updateObject(context, { kind, namespace, name, subresource: "" }, { old, candidate }, writer);
}

/** Undefined where nothing is missing, or people took the object over. */
function merge(kind: ResourceKind, old: KubeObject, wanted: KubeObject): KubeObject | undefined {
  if (old.metadata.annotations?.[autoUpdate] !== "true") return undefined;
  // A binding to another role cannot be mended, for a role reference never changes.
  if (wanted.roleRef !== undefined && !deepEqual(old.roleRef, wanted.roleRef)) return undefined;
  const metadata = { ...old.metadata, labels: { ...old.metadata.labels, ...wanted.metadata.labels } };
  const next = {
    ...old,
    metadata,
    ...(kind.kind.endsWith("Binding") ? withSubjects(old, wanted) : withRules(old, wanted)),
  };
  return deepEqual(next, old) ? undefined : next;
}

function withRules(old: KubeObject, wanted: KubeObject): JsonObject {
  if (wanted.aggregationRule !== undefined) return { aggregationRule: wanted.aggregationRule };
  const missing = missingRules(asArray(old.rules).map(readRule), asArray(wanted.rules).map(readRule));
  return missing.length === 0 ? {} : { rules: [...asArray(old.rules), ...missing] };
}

function withSubjects(old: KubeObject, wanted: KubeObject): JsonObject {
  const known = asArray(old.subjects).map(asObject);
  const missing = asArray(wanted.subjects).filter((subject) => !known.some((one) => deepEqual(one, subject)));
  return missing.length === 0 ? {} : { subjects: [...known, ...missing] };
}
