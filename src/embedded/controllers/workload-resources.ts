/** Addresses of the kinds that only the controllers use; the others are in `src/kube/core-resources.ts`. No code here. */
import { defineResource } from "../../kube/resource.ts";
import type {
  ControllerRevision,
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  PersistentVolumeClaim,
  PodDisruptionBudget,
  ReplicaSet,
  StatefulSet,
} from "./workload-types.ts";

const apps = { apiVersion: "apps/v1", namespaced: true } as const;
const batch = { apiVersion: "batch/v1", namespaced: true } as const;

export const deployments = defineResource<Deployment>({ ...apps, kind: "Deployment", plural: "deployments" });
export const replicaSets = defineResource<ReplicaSet>({ ...apps, kind: "ReplicaSet", plural: "replicasets" });
export const daemonSets = defineResource<DaemonSet>({ ...apps, kind: "DaemonSet", plural: "daemonsets" });
export const statefulSets = defineResource<StatefulSet>({ ...apps, kind: "StatefulSet", plural: "statefulsets" });
export const controllerRevisions = defineResource<ControllerRevision>({
  ...apps,
  kind: "ControllerRevision",
  plural: "controllerrevisions",
});
export const jobs = defineResource<Job>({ ...batch, kind: "Job", plural: "jobs" });
export const cronJobs = defineResource<CronJob>({ ...batch, kind: "CronJob", plural: "cronjobs" });
export const persistentVolumeClaims = defineResource<PersistentVolumeClaim>({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  namespaced: true,
});
export const podDisruptionBudgets = defineResource<PodDisruptionBudget>({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  namespaced: true,
});
