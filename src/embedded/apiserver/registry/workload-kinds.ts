/** Declarations of the groups apps, batch, autoscaling and policy. */
import { defaultPodSpec } from "../admission/pod-defaults.ts";
import { asObject, isObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import {
  daemonSetColumns,
  deploymentColumns,
  jobColumns,
  replicaSetColumns,
  statefulSetColumns,
} from "../printing/workload-columns.ts";
import { declareBuiltin } from "./builtin-kind.ts";
import type { ResourceKind, Strategy } from "./kind.ts";

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

export const workloadKinds = (): readonly ResourceKind[] => [
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
    selectableFields: { "status.replicas": (object) => String(statusOf(object).replicas ?? 0) },
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
  declareBuiltin({ group: "apps", kind: "ControllerRevision", plural: "controllerrevisions" }),
  declareBuiltin({
    group: "batch",
    kind: "Job",
    plural: "jobs",
    ...workload,
    columns: jobColumns,
    selectableFields: { "status.successful": (object) => String(statusOf(object).succeeded ?? 0) },
    strategy: jobStrategy,
  }),
  declareBuiltin({ group: "batch", kind: "CronJob", plural: "cronjobs", shortNames: ["cj"], ...workload }),
  declareBuiltin({
    group: "autoscaling",
    version: "v2",
    kind: "HorizontalPodAutoscaler",
    plural: "horizontalpodautoscalers",
    shortNames: ["hpa"],
    categories: ["all"],
    hasStatus: true,
  }),
  declareBuiltin({
    group: "policy",
    kind: "PodDisruptionBudget",
    plural: "poddisruptionbudgets",
    shortNames: ["pdb"],
    hasStatus: true,
    hasGeneration: true,
  }),
];
