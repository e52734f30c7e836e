/**
 * Nobody grants rights that they do not hold: a role may contain only what its writer may do (or the writer may
 * `escalate` it), and a role may be bound only by who holds it (or may `bind` it).
 */
import type { PolicyRule, RoleReference } from "../../authorization/authorizer.ts";
import { compactRules, describeList, describeRule, missingRules, rulesOf } from "../../authorization/policy-rule.ts";
import { missingRole } from "../../authorization/rbac-authorizer.ts";
import { isPrivileged } from "../../authorization/user-info.ts";
import { asArray, asObject, asString, deepEqual } from "../../json-value.ts";
import type { KubeObject } from "../../object.ts";
import type { ApiContext } from "../../operations/context.ts";
import { subjectOf } from "../../registry/kind.ts";
import { failure, forbidden } from "../../status.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";

const group = "rbac.authorization.k8s.io";

export const rbacEscalation: AdmissionPlugin = {
  name: "RBACEscalation",
  mutate: (request, context) => {
    if (request.kind.group !== group || request.object === undefined || isPrivileged(request.user)) return;
    if (request.old !== undefined && onlyGarbageCollection(request.object, request.old)) return;
    if (request.kind.kind === "Role" || request.kind.kind === "ClusterRole")
      checkRole(request, request.object, context);
    else checkBinding(request, request.object, context);
  },
};

/** Who only releases an object for deletion grants nothing. */
function onlyGarbageCollection(object: KubeObject, old: KubeObject): boolean {
  const strip = ({ metadata, ...rest }: KubeObject) => {
    const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _managed, ...kept } = metadata;
    return { ...rest, metadata: kept };
  };
  return deepEqual(strip(object), strip(old));
}

function checkRole(request: AdmissionRequest, role: KubeObject, context: ApiContext): void {
  const { user, kind, name, namespace } = request;
  const attributes = { verb: "escalate", group, version: "*", resource: kind.plural, subresource: "", name, namespace };
  if (context.authorizer.authorize(user, attributes).allowed) return;
  refuseMissing(request, context, rulesOf(role));
  if (!isAggregated(role) && !(request.old !== undefined && isAggregated(request.old))) return;
  if (missingRules(context.authorizer.rulesFor(user, namespace), everything).length === 0) return;
  throw forbidden(subjectOf(kind), name, "must have cluster-admin privileges to use the aggregationRule");
}

const everything: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

function isAggregated(role: KubeObject): boolean {
  return asArray(asObject(role.aggregationRule).clusterRoleSelectors).length > 0;
}

const rolePlurals: Readonly<Record<string, string>> = { Role: "roles", ClusterRole: "clusterroles" };

function checkBinding(request: AdmissionRequest, binding: KubeObject, context: ApiContext): void {
  const { user, namespace } = request;
  const { kind, name } = asObject(binding.roleRef);
  const reference: RoleReference = { kind: asString(kind), name: asString(name) };
  const resource = rolePlurals[reference.kind];
  // A reference to anything else is found by validation, which words it better.
  if (resource === undefined || reference.name === "") return;
  const attributes = { verb: "bind", group, version: "*", resource, subresource: "", name: reference.name, namespace };
  if (context.authorizer.authorize(user, attributes).allowed) return;
  const rules = context.authorizer.roleRules(reference, namespace);
  if (rules === undefined) {
    const details = { name: reference.name, group, kind: reference.kind.toLowerCase() };
    throw failure(404, "NotFound", missingRole(reference), details);
  }
  refuseMissing(request, context, rules);
}

function refuseMissing(request: AdmissionRequest, context: ApiContext, rules: readonly PolicyRule[]): void {
  const { user, namespace, kind, name } = request;
  const missing = missingRules(context.authorizer.rulesFor(user, namespace), rules);
  if (missing.length === 0) return;
  const lines = [...new Set(compactRules(missing).map(describeRule))].sort();
  const who = `user ${JSON.stringify(user.username)} (groups=${describeList(user.groups)})`;
  const why = `${who} is attempting to grant RBAC permissions not currently held:\n${lines.join("\n")}`;
  throw forbidden(subjectOf(kind), name, why);
}
