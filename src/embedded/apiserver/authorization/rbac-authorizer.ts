/** Role-based access control: what the roles that are bound to a user, or to a group of theirs, allow. Reads the store. */
import type { Store } from "../storage/store.ts";
import type { AccessAttributes, Authorizer, Decision, PolicyRule, RoleReference } from "./authorizer.ts";
import { isPathAccess } from "./authorizer.ts";
import { type Binding, BindingIndex, rbacStorage } from "./binding-index.ts";
import { ruleAllows, rulesOf } from "./policy-rule.ts";
import { isPrivileged, type UserInfo } from "./user-info.ts";

export class RbacAuthorizer implements Authorizer {
  readonly #store: Store;
  readonly #bindings: BindingIndex;

  constructor(store: Store) {
    this.#store = store;
    this.#bindings = new BindingIndex(store);
  }

  stop(): void {
    this.#bindings.stop();
  }

  authorize(user: UserInfo, attributes: AccessAttributes): Decision {
    if (isPrivileged(user)) return { allowed: true, reason: "" };
    const missing = new Set<string>();
    for (const binding of this.#bindings.find(user, isPathAccess(attributes) ? "" : attributes.namespace)) {
      const rules = this.roleRules(binding.roleRef, binding.namespace);
      if (rules === undefined) missing.add(missingRole(binding.roleRef));
      else if (rules.some((rule) => ruleAllows(rule, attributes)))
        return { allowed: true, reason: `RBAC: allowed by ${describeBinding(binding)}` };
    }
    return { allowed: false, reason: missing.size === 0 ? "" : `RBAC: ${joinErrors([...missing])}` };
  }

  rulesFor(user: UserInfo, namespace: string): readonly PolicyRule[] {
    const rules: PolicyRule[] = [];
    for (const binding of this.#bindings.find(user, namespace))
      rules.push(...(this.roleRules(binding.roleRef, binding.namespace) ?? []));
    return rules;
  }

  roleRules(reference: RoleReference, namespace: string): readonly PolicyRule[] | undefined {
    const isCluster = reference.kind === "ClusterRole";
    const stored = isCluster
      ? this.#store.get(rbacStorage.clusterRoles, reference.name)
      : this.#store.get(rbacStorage.roles, `${namespace}/${reference.name}`);
    return stored === undefined ? undefined : rulesOf(stored.object);
  }
}

function describeBinding({ name, namespace, roleRef, subject }: Binding): string {
  const what = namespace === "" ? `ClusterRoleBinding "${name}"` : `RoleBinding "${name}/${namespace}"`;
  return `${what} of ${roleRef.kind} "${roleRef.name}" to ${subject}`;
}

export function missingRole({ kind, name }: RoleReference): string {
  return `${kind.toLowerCase()}.rbac.authorization.k8s.io "${name}" not found`;
}

function joinErrors(errors: readonly string[]): string {
  return errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]`;
}
