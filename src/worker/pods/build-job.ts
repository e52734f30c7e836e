/**
 * The Job of one try of an attempt: one pod for each rank, placed by Kubernetes on nodes of the task's tiers. No pod is replaced by
 * the Job's own controller: the launcher starts the next try, from the newest checkpoint. Pure.
 */
import { labels } from "../../api/v1alpha1/labels.ts";
import type { Service } from "../../kube/core-resources.ts";
import type { Job } from "../../kube/job-types.ts";
import type { Container, EnvVar, PodSpec, Toleration } from "../../kube/pod-types.ts";
import type { PodReference } from "../../pool/work-assignment.ts";
import type { PodTask } from "./pod-task.ts";

/** What the launcher is told of its cluster, for all of its pods. */
export interface PodDefaults {
  /** Where a task names none: an image of Inferium, whose `inferium train` runs training programs. */
  readonly image: string;
  readonly imagePullPolicy?: string;
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly schedulerName?: string;
  readonly tolerations?: readonly Toleration[];
  readonly priorityClassName?: string;
  readonly runtimeClassName?: string;
  /** Variables of every pod. */
  readonly env?: readonly EnvVar[];
  /** Of the pods, beside what the restricted Pod Security Standard asks for. */
  readonly securityContext?: Readonly<Record<string, unknown>>;
}

export interface JobPlan {
  readonly name: string;
  readonly namespace: string;
  /** Address of the launcher. */
  readonly launcher: string;
  readonly task: PodTask;
  readonly pod: PodReference;
  readonly defaults: PodDefaults;
  /** Nodes that an earlier try was lost on: any other is taken before them. */
  readonly avoid: readonly string[];
  readonly activeDeadlineSeconds: number;
}

export const launcherLabel = "inferium.io/launcher";
export const jobNameLabel = "batch.kubernetes.io/job-name";
export const indexLabel = "batch.kubernetes.io/job-completion-index";
export const containerName = "task";
const deviceClaim = "device";
const scratch = "/var/lib/inferium";
/** What is left of a job when its launcher is gone for good. */
const ttlSeconds = 3_600;

export function buildJob(plan: JobPlan): Job {
  const { name, namespace, task, pod } = plan;
  const own = { "app.kubernetes.io/name": "inferium", "app.kubernetes.io/component": "task" };
  const marks = { ...own, [launcherLabel]: plan.launcher.toLowerCase() };
  const queue = pod.queueName === undefined ? {} : { "kueue.x-k8s.io/queue-name": pod.queueName };
  const annotations = {
    "inferium.io/task": `${task.namespace}/${task.task}`,
    "inferium.io/attempt": String(task.attempt),
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace, labels: { ...marks, ...queue }, annotations },
    spec: {
      completionMode: "Indexed",
      completions: pod.size,
      parallelism: pod.size,
      backoffLimit: 0,
      // Kueue lets it begin.
      suspend: pod.queueName !== undefined,
      activeDeadlineSeconds: plan.activeDeadlineSeconds,
      ttlSecondsAfterFinished: ttlSeconds,
      template: { metadata: { labels: marks, annotations }, spec: buildPodSpec(plan) },
    },
  };
}

/** Gives the pods of a gang names that the others find, also before they are ready. Goes with its job. */
export function buildGangService({ apiVersion, kind, metadata }: Job): Service {
  const { name, namespace, labels = {}, uid = "" } = metadata;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      ...{ name, labels, ownerReferences: [{ apiVersion, kind, name, uid }] },
      ...(namespace === undefined ? {} : { namespace }),
    },
    spec: { clusterIP: "None", publishNotReadyAddresses: true, selector: { [jobNameLabel]: name } },
  };
}

function buildPodSpec(plan: JobPlan): PodSpec {
  const { pod, defaults } = plan;
  const priority = pod.priorityClassName ?? defaults.priorityClassName;
  const runtime = pod.runtimeClassName ?? defaults.runtimeClassName;
  return {
    restartPolicy: "Never",
    // It speaks to nobody of the cluster.
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 10,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" }, ...defaults.securityContext },
    affinity: { nodeAffinity: buildNodeAffinity(plan) },
    tolerations: [...(defaults.tolerations ?? []), ...(pod.tolerations ?? []).map((one) => ({ ...one }))],
    ...(pod.size > 1 ? { subdomain: plan.name } : {}),
    ...(pod.nodeSelector ? { nodeSelector: { ...pod.nodeSelector } } : {}),
    ...(defaults.schedulerName ? { schedulerName: defaults.schedulerName } : {}),
    ...(defaults.imagePullSecrets ? { imagePullSecrets: defaults.imagePullSecrets.map(({ name }) => ({ name })) } : {}),
    ...(priority ? { priorityClassName: priority } : {}),
    ...(runtime ? { runtimeClassName: runtime } : {}),
    ...(pod.spreadTopologyKey ? { topologySpreadConstraints: [buildSpread(plan, pod.spreadTopologyKey)] } : {}),
    ...(pod.resourceClaimTemplateName
      ? { resourceClaims: [{ name: deviceClaim, resourceClaimTemplateName: pod.resourceClaimTemplateName }] }
      : {}),
    containers: [buildContainer(plan)],
    volumes: [{ name: "scratch", emptyDir: {} }],
  };
}

function buildNodeAffinity({ pod, avoid }: JobPlan) {
  const tier = { matchExpressions: [{ key: labels.tier, operator: "In", values: [...pod.tiers] }] };
  const elsewhere = { key: "kubernetes.io/hostname", operator: "NotIn", values: [...avoid] };
  return {
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [tier] },
    ...(avoid.length === 0
      ? {}
      : {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 100, preference: { matchExpressions: [elsewhere] } },
          ],
        }),
  };
}

function buildSpread({ name }: JobPlan, topologyKey: string) {
  const labelSelector = { matchLabels: { [jobNameLabel]: name } };
  return { maxSkew: 1, topologyKey, whenUnsatisfiable: "ScheduleAnyway" as const, labelSelector };
}

function buildContainer({ name: jobName, namespace, task, pod, defaults }: JobPlan): Container {
  const resources = computeResources(pod);
  const args = pod.args ?? (pod.image === undefined && task.training ? ["train"] : undefined);
  return {
    name: containerName,
    image: pod.image ?? defaults.image,
    ...(defaults.imagePullPolicy ? { imagePullPolicy: defaults.imagePullPolicy } : {}),
    ...(pod.command ? { command: [...pod.command] } : {}),
    ...(args ? { args: [...args] } : {}),
    env: [
      ...(defaults.env ?? []),
      ...(pod.env ?? []).map(({ name, value }) => ({ name, value })),
      { name: "INFERIUM_TASK", value: JSON.stringify(task) },
      { name: "INFERIUM_CACHE_DIR", value: `${scratch}/cache` },
      { name: "INFERIUM_WORLD_SIZE", value: String(pod.size) },
      ...(pod.size > 1 ? [{ name: "INFERIUM_MASTER_ADDR", value: `${jobName}-0.${jobName}.${namespace}` }] : []),
      { name: "INFERIUM_RANK", valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexLabel}']` } } },
    ],
    resources: {
      ...{ requests: resources, limits: resources },
      ...(pod.resourceClaimTemplateName ? { claims: [{ name: deviceClaim }] } : {}),
    },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    volumeMounts: [{ name: "scratch", mountPath: scratch }],
  };
}

/** GPUs that a claim brings are not asked for a second time. */
function computeResources({ requests, gpus, migProfile, resourceClaimTemplateName }: PodReference) {
  const resources: Record<string, string> = { ...requests };
  if (resourceClaimTemplateName !== undefined) return resources;
  if (migProfile !== undefined) resources[`nvidia.com/mig-${migProfile.replace("+", ".")}`] = String(gpus ?? 1);
  else if (gpus !== undefined && gpus > 0) resources["nvidia.com/gpu"] = String(gpus);
  return resources;
}
