/** Declarations of rbac.authorization.k8s.io. */
import { bindingStrategy, clusterBindingStrategy, clusterRoleStrategy, roleStrategy } from "../admission/rbac.ts";
import { createdAtColumns, roleBindingColumns } from "../printing/builtin-columns.ts";
import { declareBuiltin } from "./builtin-kind.ts";
import type { ResourceKind } from "./kind.ts";

const rbac = { group: "rbac.authorization.k8s.io" } as const;

export const rbacKinds = (): readonly ResourceKind[] => [
  declareBuiltin({ ...rbac, kind: "Role", plural: "roles", columns: createdAtColumns, strategy: roleStrategy }),
  declareBuiltin({
    ...rbac,
    kind: "RoleBinding",
    plural: "rolebindings",
    columns: roleBindingColumns,
    strategy: bindingStrategy,
  }),
  declareBuiltin({
    ...rbac,
    kind: "ClusterRole",
    plural: "clusterroles",
    namespaced: false,
    columns: createdAtColumns,
    strategy: clusterRoleStrategy,
  }),
  declareBuiltin({
    ...rbac,
    kind: "ClusterRoleBinding",
    plural: "clusterrolebindings",
    namespaced: false,
    columns: roleBindingColumns,
    strategy: clusterBindingStrategy,
  }),
];
