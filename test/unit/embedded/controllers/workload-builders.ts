/** Workload objects for the tests of this folder. */

import type {
  CronJob,
  DaemonSet,
  Deployment,
  DeploymentSpec,
  Job,
  JobSpec,
  ReplicaSet,
  StatefulSet,
} from "../../../../src/embedded/controllers/workload-types.ts";
import type { Pod } from "../../../../src/embedded/kubelet/core-types.ts";
import type { PodStatus } from "../../../../src/embedded/kubelet/status-types.ts";
import { aContainer } from "../kubelet/builders.ts";

export const now = Date.parse("2026-01-01T00:10:00Z");
export const at = (seconds: number): string => new Date(now + seconds * 1000).toISOString().replace(".000", "");

const template = { metadata: { labels: { app: "a" } }, spec: { containers: [aContainer()] } };
const selector = { matchLabels: { app: "a" } };
const meta = (name: string) => ({
  name,
  namespace: "ns",
  uid: `uid-${name}`,
  generation: 1,
  creationTimestamp: at(-600),
});

export function aDeployment(spec: Partial<DeploymentSpec> = {}, status: Deployment["status"] = {}): Deployment {
  return {
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: meta("web"), status },
    spec: { replicas: 3, selector, template, ...spec },
  };
}

export function aReplicaSet(name: string, replicas: number, available = replicas, annotations = {}): ReplicaSet {
  return {
    ...{ apiVersion: "apps/v1", kind: "ReplicaSet" },
    metadata: { ...meta(name), annotations },
    spec: { replicas, selector, template },
    status: { replicas, availableReplicas: available, readyReplicas: available, observedGeneration: 1 },
  };
}

export function aDaemonSet(spec: Partial<DaemonSet["spec"]> = {}): DaemonSet {
  return { apiVersion: "apps/v1", kind: "DaemonSet", metadata: meta("agent"), spec: { selector, template, ...spec } };
}

export function aStatefulSet(spec: Partial<StatefulSet["spec"]> = {}): StatefulSet {
  return {
    ...{ apiVersion: "apps/v1", kind: "StatefulSet", metadata: meta("db") },
    spec: { replicas: 3, selector, template, ...spec },
  };
}

export function aJob(spec: Partial<JobSpec> = {}, status: Job["status"] = {}): Job {
  const podTemplate = { ...template, spec: { ...template.spec, restartPolicy: "Never" } };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: meta("job"),
    spec: { template: podTemplate, ...spec },
    status,
  };
}

export function aCronJob(
  schedule: string,
  extra: Partial<CronJob["spec"]> = {},
  status: CronJob["status"] = {},
): CronJob {
  const spec = { schedule, jobTemplate: { spec: aJob().spec }, ...extra };
  return { apiVersion: "batch/v1", kind: "CronJob", metadata: meta("cron"), spec, status };
}

export function aRunningPod(name: string, metadata: Partial<Pod["metadata"]> = {}, isReady = true): Pod {
  const conditions = [{ type: "Ready", status: isReady ? "True" : "False", lastTransitionTime: at(-60) }];
  return aPodIn({ phase: "Running", conditions }, name, metadata);
}

export function aPodIn(status: PodStatus, name: string, metadata: Partial<Pod["metadata"]> = {}): Pod {
  return {
    ...{ apiVersion: "v1", kind: "Pod", status },
    metadata: { ...meta(name), labels: { app: "a" }, ...metadata },
    spec: { containers: [aContainer()] },
  };
}
