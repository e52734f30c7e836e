/** The pods of a job: how they are made and what has become of them. Pure. */
import type { Container, EnvVar, Pod } from "../../kubelet/core-types.ts";
import { randomSuffix } from "../canonical.ts";
import { buildOwnedPod } from "../pod-control.ts";
import { isTerminating } from "../pod-state.ts";
import { parseTime } from "../times.ts";
import type { Job } from "../workload-types.ts";

/** Keeps a pod until its end is counted, so that none is counted twice or never. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
export const indexAnnotation = "batch.kubernetes.io/job-completion-index";

export function isIndexed(job: Job): boolean {
  return job.spec.completionMode === "Indexed";
}

export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[indexAnnotation];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

export function isTracked(pod: Pod): boolean {
  return pod.metadata.finalizers?.includes(trackingFinalizer) ?? false;
}

/** A pod on its way out has failed, unless the job waits for its real end. */
export function hasFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === "Failed") return true;
  const waits = job.spec.podReplacementPolicy === "Failed" || job.spec.podFailurePolicy !== undefined;
  return !waits && isTerminating(pod) && pod.status?.phase !== "Succeeded";
}

/** Milliseconds since the epoch. */
export function finishTimeOf(pod: Pod): number {
  const ends = (pod.status?.containerStatuses ?? []).map(
    (status) => parseTime(status.state?.terminated?.finishedAt) ?? 0,
  );
  const latest = Math.max(0, ...ends);
  return latest || (parseTime(pod.metadata.deletionTimestamp) ?? parseTime(pod.metadata.creationTimestamp) ?? 0);
}

export function buildJobPod(job: Job, index: number | undefined): Pod {
  const indexed = index !== undefined;
  const base = indexed ? `${job.metadata.name}-${index}-` : `${job.metadata.name}-`;
  const pod = buildOwnedPod(job, job.spec.template, base);
  const finalizers = [...(pod.metadata.finalizers ?? []), trackingFinalizer];
  if (!indexed) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const mark = { [indexAnnotation]: String(index) };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      // The server's suffix would be cut into the index where the name is long.
      name: base.length > 58 ? `${base.slice(0, 58)}${randomSuffix()}` : "",
      finalizers,
      labels: { ...pod.metadata.labels, ...mark },
      annotations: { ...pod.metadata.annotations, ...mark },
    },
    spec: {
      ...pod.spec,
      hostname: `${job.metadata.name}-${index}`,
      containers: pod.spec.containers.map(withIndex),
      ...(pod.spec.initContainers === undefined ? {} : { initContainers: pod.spec.initContainers.map(withIndex) }),
    },
  };
}

const indexVariable: EnvVar = {
  name: "JOB_COMPLETION_INDEX",
  valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexAnnotation}']` } },
};

function withIndex(container: Container): Container {
  if (container.env?.some((variable) => variable.name === indexVariable.name)) return container;
  return { ...container, env: [...(container.env ?? []), indexVariable] };
}
