/** Strategies of roles and bindings. That nobody grants more than they hold is in `plugins/rbac-escalation.ts`. */
import { asArray, asObject, deepEqual, isObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import { checkPathSegment } from "../registry/names.ts";
import { cause } from "../status.ts";
import { validateBinding, validateClusterRole, validateRole } from "../validation/rbac.ts";

const group = "rbac.authorization.k8s.io";

export const roleStrategy: Strategy = { checkName: checkPathSegment, validate: validateRole };
export const clusterRoleStrategy: Strategy = { checkName: checkPathSegment, validate: validateClusterRole };

export const bindingStrategy: Strategy = {
  checkName: checkPathSegment,
  applyDefaults: defaultBinding,
  validate: (binding, old) => [...validateBinding(binding, ["Role", "ClusterRole"]), ...checkReference(binding, old)],
};

export const clusterBindingStrategy: Strategy = {
  checkName: checkPathSegment,
  applyDefaults: defaultBinding,
  validate: (binding, old) => [...validateBinding(binding, ["ClusterRole"]), ...checkReference(binding, old)],
};

function defaultBinding(binding: KubeObject): void {
  if (isObject(binding.roleRef)) binding.roleRef.apiGroup ||= group;
  for (const item of asArray(binding.subjects)) {
    const subject = asObject(item);
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= group;
  }
}

/** Who holds what must not be confused by a binding that means another role tomorrow. */
function checkReference(binding: KubeObject, old: KubeObject | undefined) {
  if (old === undefined || deepEqual(old.roleRef, binding.roleRef)) return [];
  return [cause.invalid("roleRef", binding.roleRef, "cannot change roleRef")];
}
