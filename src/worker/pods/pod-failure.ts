/**
 * What became of a try, from what Kubernetes says of its Job and its pods. Whose fault a failure is follows from the evidence: a pod
 * that was preempted or evicted, or whose node was lost, says nothing against the task. Pure.
 */
import type { Job } from "../../kube/job-types.ts";
import type { Pod, PodCondition } from "../../kube/pod-types.ts";

export type PodFailureReason =
  | "PodPreempted"
  | "PodEvicted"
  | "NodeLost"
  | "PodGone"
  | "ImageUnavailable"
  | "Unschedulable"
  | "PodRejected"
  | "OutOfMemory"
  | "Timeout"
  | "PodFailed";

export interface PodFailure {
  readonly reason: PodFailureReason;
  readonly message: string;
}

/** Where the next try may well go better, within the same attempt: on another node, from the newest checkpoint. */
export const movable: ReadonlySet<PodFailureReason> = new Set(["PodPreempted", "PodEvicted", "NodeLost", "PodGone"]);

const disruptions: Readonly<Record<string, PodFailureReason>> = {
  PreemptionByScheduler: "PodPreempted",
  EvictionByEvictionAPI: "PodEvicted",
  DeletionByTaintManager: "NodeLost",
  DeletionByPodGC: "NodeLost",
  TerminationByKubelet: "PodEvicted",
};

const statusReasons: Readonly<Record<string, PodFailureReason>> = {
  Preempting: "PodPreempted",
  Evicted: "PodEvicted",
  Shutdown: "NodeLost",
  NodeShutdown: "NodeLost",
  Terminated: "NodeLost",
  NodeLost: "NodeLost",
};

/** @param pods as they were last seen, those that are gone included */
export function classifyJobFailure(job: Job, pods: readonly Pod[]): PodFailure {
  const failed = job.status?.conditions?.find(({ type, status }) => type === "Failed" && status === "True");
  if (failed?.reason === "DeadlineExceeded")
    return { reason: "Timeout", message: "The pods ran up to the attempt's deadline." };
  const found = pods.map(classifyPod).filter((failure) => failure !== undefined);
  // Where one pod of a gang goes, Kubernetes ends the others: what began it is what counts.
  const first = found.find(({ reason }) => reason !== "PodFailed" && reason !== "PodGone") ?? found[0];
  return first ?? { reason: "PodGone", message: `A pod of job ${job.metadata.name} is gone, and nobody says why.` };
}

/** Undefined for a pod of which nothing bad is known. */
export function classifyPod(pod: Pod): PodFailure | undefined {
  const { name } = pod.metadata;
  const { status } = pod;
  const disrupted = status?.conditions?.find(({ type, status: is }) => type === "DisruptionTarget" && is === "True");
  if (disrupted) {
    const reason = disruptions[disrupted.reason ?? ""] ?? "PodEvicted";
    return { reason, message: `Pod ${name} was taken away (${disrupted.reason}): ${disrupted.message ?? ""}`.trim() };
  }
  const byStatus = statusReasons[status?.reason ?? ""];
  if (byStatus)
    return { reason: byStatus, message: `Pod ${name} ended as ${status?.reason}: ${status?.message ?? ""}`.trim() };
  const ended = status?.containerStatuses
    ?.map(({ state }) => state?.terminated)
    .find((one) => one && one.exitCode !== 0);
  if (ended?.reason === "OOMKilled")
    return { reason: "OutOfMemory", message: `Pod ${name} took more memory than its limit and was killed.` };
  // Deleted while it ran: its exit code is that of the signal.
  if (pod.metadata.deletionTimestamp !== undefined && status?.phase !== "Succeeded")
    return { reason: "PodGone", message: `Pod ${name} was deleted.` };
  if (ended) {
    const detail = [ended.reason, ended.message].filter((part) => part).join(": ");
    return {
      reason: "PodFailed",
      message: `Pod ${name} ended with exit code ${ended.exitCode} (${detail.slice(0, 1_000)}).`,
    };
  }
  if (status?.phase !== "Failed") return undefined;
  const why = `${status.reason ?? "no reason"}: ${status.message ?? ""}`;
  return { reason: "PodRejected", message: `Pod ${name} was not run by its node (${why}).` };
}

/** Why a pod has not started, in words; undefined where it has. */
export function explainNotStarted({ metadata, spec, status }: Pod): PodFailure | undefined {
  const waiting = status?.containerStatuses?.map(({ state }) => state?.waiting).find((one) => one !== undefined);
  if (waiting?.reason !== undefined && /Image|ErrPull/.test(waiting.reason))
    return { reason: "ImageUnavailable", message: `Pod ${metadata.name}: ${waiting.reason}: ${waiting.message ?? ""}` };
  if (status?.phase === "Running" || status?.phase === "Succeeded" || status?.phase === "Failed") return undefined;
  const unscheduled = status?.conditions?.find(isUnscheduled);
  const why = spec.nodeName ? `starting on ${spec.nodeName}` : (unscheduled?.message ?? "not placed on a node yet");
  return { reason: "Unschedulable", message: `Pod ${metadata.name}: ${why}` };
}

function isUnscheduled({ type, status }: PodCondition): boolean {
  return type === "PodScheduled" && status === "False";
}

/** Waiting does not help: no registry could ever serve the name, or none is asked. */
export function isHopeless({ status }: Pod): boolean {
  const reasons = (status?.containerStatuses ?? []).map(({ state }) => state?.waiting?.reason);
  return reasons.includes("InvalidImageName") || reasons.includes("ErrImageNeverPull");
}
