/** Declarations of the other built-in groups. Workload kinds are stored; no controller acts on them yet. */

import { bindingStrategy, leaseStrategy, priorityClassStrategy, rbacStrategy } from "../admission/core-strategies.ts";
import { defaultPodSpec } from "../admission/pod-defaults.ts";
import { asObject, isObject } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import {
  createdAtColumns,
  endpointSliceColumns,
  leaseColumns,
  priorityClassColumns,
  roleBindingColumns,
} from "../printing/builtin-columns.ts";
import {
  daemonSetColumns,
  deploymentColumns,
  jobColumns,
  replicaSetColumns,
  statefulSetColumns,
} from "../printing/workload-columns.ts";
import { declareBuiltin } from "./builtin-kind.ts";
import type { ResourceKind, Strategy } from "./kind.ts";

const rbac = { group: "rbac.authorization.k8s.io" } as const;
const scale = { spec: ["spec", "replicas"], status: ["status", "replicas"], selector: ["status", "selector"] } as const;
const workload = { hasStatus: true, hasGeneration: true, categories: ["all"] } as const;

function workloadStrategy(defaults: (spec: Record<string, unknown>) => void): Strategy {
  return {
    applyDefaults: (object: KubeObject) => {
      const spec = specOf(object);
      object.spec = spec;
      defaults(spec);
      const podSpec = asObject(spec.template).spec;
      if (isObject(podSpec)) defaultPodSpec(podSpec);
    },
    prepareCreate: (object) => {
      object.status = {};
    },
  };
}

const replicated = workloadStrategy((spec) => {
  spec.replicas ??= 1;
});

const jobStrategy = workloadStrategy((spec) => {
  spec.completions ??= spec.parallelism === undefined ? 1 : undefined;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= 6;
  spec.suspend ??= false;
});

export const otherKinds = (): readonly ResourceKind[] => [
  declareBuiltin({
    group: "coordination.k8s.io",
    kind: "Lease",
    plural: "leases",
    columns: leaseColumns,
    strategy: leaseStrategy,
  }),
  declareBuiltin({
    group: "discovery.k8s.io",
    kind: "EndpointSlice",
    plural: "endpointslices",
    columns: endpointSliceColumns,
  }),
  declareBuiltin({
    group: "scheduling.k8s.io",
    kind: "PriorityClass",
    plural: "priorityclasses",
    namespaced: false,
    shortNames: ["pc"],
    columns: priorityClassColumns,
    strategy: priorityClassStrategy,
  }),
  declareBuiltin({ ...rbac, kind: "Role", plural: "roles", columns: createdAtColumns, strategy: rbacStrategy }),
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
    strategy: rbacStrategy,
  }),
  declareBuiltin({
    ...rbac,
    kind: "ClusterRoleBinding",
    plural: "clusterrolebindings",
    namespaced: false,
    columns: roleBindingColumns,
    strategy: bindingStrategy,
  }),
  declareBuiltin({
    group: "apps",
    kind: "Deployment",
    plural: "deployments",
    shortNames: ["deploy"],
    ...workload,
    scale,
    columns: deploymentColumns,
    strategy: replicated,
  }),
  declareBuiltin({
    group: "apps",
    kind: "ReplicaSet",
    plural: "replicasets",
    shortNames: ["rs"],
    ...workload,
    scale,
    columns: replicaSetColumns,
    strategy: replicated,
  }),
  declareBuiltin({
    group: "apps",
    kind: "StatefulSet",
    plural: "statefulsets",
    shortNames: ["sts"],
    ...workload,
    scale,
    columns: statefulSetColumns,
    strategy: replicated,
  }),
  declareBuiltin({
    group: "apps",
    kind: "DaemonSet",
    plural: "daemonsets",
    shortNames: ["ds"],
    ...workload,
    columns: daemonSetColumns,
    strategy: workloadStrategy(() => undefined),
  }),
  declareBuiltin({
    group: "batch",
    kind: "Job",
    plural: "jobs",
    ...workload,
    columns: jobColumns,
    strategy: jobStrategy,
  }),
  declareBuiltin({
    group: "policy",
    kind: "PodDisruptionBudget",
    plural: "poddisruptionbudgets",
    shortNames: ["pdb"],
    hasStatus: true,
    hasGeneration: true,
  }),
  declareBuiltin({
    group: "networking.k8s.io",
    kind: "NetworkPolicy",
    plural: "networkpolicies",
    shortNames: ["netpol"],
    hasGeneration: true,
  }),
];
