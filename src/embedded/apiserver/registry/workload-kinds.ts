/** Declarations of the groups apps, batch, autoscaling and policy. */
import { autoscalerFromV1, autoscalerStrategy, autoscalerToV1 } from "../admission/autoscaling.ts";
import { cronJobStrategy, jobStrategy } from "../admission/jobs.ts";
import { controllerRevisionStrategy, disruptionBudgetStrategy } from "../admission/small-strategies.ts";
import { statefulSetStrategy } from "../admission/stateful-sets.ts";
import { daemonSetStrategy, deploymentStrategy, replicaSetStrategy } from "../admission/workloads.ts";
import { statusOf } from "../object.ts";
import {
  autoscalerColumns,
  controllerRevisionColumns,
  cronJobColumns,
  daemonSetColumns,
  deploymentColumns,
  disruptionBudgetColumns,
  jobColumns,
  replicaSetColumns,
  statefulSetColumns,
} from "../printing/workload-columns.ts";
import { declareBuiltin } from "./builtin-kind.ts";
import type { ResourceKind } from "./kind.ts";

const scale = { spec: ["spec", "replicas"], status: ["status", "replicas"], selector: ["spec", "selector"] } as const;
const workload = { hasStatus: true, hasGeneration: true, categories: ["all"] } as const;

const autoscaler = {
  group: "autoscaling",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  shortNames: ["hpa"],
  categories: ["all"],
  hasStatus: true,
  columns: autoscalerColumns,
  strategy: autoscalerStrategy,
} as const;

export const workloadKinds = (): readonly ResourceKind[] => [
  declareBuiltin({
    group: "apps",
    kind: "Deployment",
    plural: "deployments",
    shortNames: ["deploy"],
    ...workload,
    scale,
    columns: deploymentColumns,
    strategy: deploymentStrategy,
  }),
  declareBuiltin({
    group: "apps",
    kind: "ReplicaSet",
    plural: "replicasets",
    shortNames: ["rs"],
    ...workload,
    scale,
    columns: replicaSetColumns,
    strategy: replicaSetStrategy,
  }),
  declareBuiltin({
    group: "apps",
    kind: "StatefulSet",
    plural: "statefulsets",
    shortNames: ["sts"],
    ...workload,
    scale,
    columns: statefulSetColumns,
    strategy: statefulSetStrategy,
  }),
  declareBuiltin({
    group: "apps",
    kind: "DaemonSet",
    plural: "daemonsets",
    shortNames: ["ds"],
    ...workload,
    columns: daemonSetColumns,
    strategy: daemonSetStrategy,
  }),
  declareBuiltin({
    group: "apps",
    kind: "ControllerRevision",
    plural: "controllerrevisions",
    columns: controllerRevisionColumns,
    strategy: controllerRevisionStrategy,
  }),
  declareBuiltin({
    group: "batch",
    kind: "Job",
    plural: "jobs",
    ...workload,
    columns: jobColumns,
    selectableFields: { "status.successful": (object) => String(statusOf(object).succeeded ?? 0) },
    strategy: jobStrategy,
  }),
  declareBuiltin({
    group: "batch",
    kind: "CronJob",
    plural: "cronjobs",
    shortNames: ["cj"],
    ...workload,
    columns: cronJobColumns,
    strategy: cronJobStrategy,
  }),
  declareBuiltin({ ...autoscaler, version: "v2" }),
  declareBuiltin({ ...autoscaler, version: "v1", toStorage: autoscalerFromV1, fromStorage: autoscalerToV1 }),
  declareBuiltin({
    group: "policy",
    kind: "PodDisruptionBudget",
    plural: "poddisruptionbudgets",
    shortNames: ["pdb"],
    hasStatus: true,
    hasGeneration: true,
    columns: disruptionBudgetColumns,
    strategy: disruptionBudgetStrategy,
  }),
];
