/**
 * Computes a pod's status from its containers' records: phase, conditions, container statuses, as the kubelet of
 * Kubernetes does. Pure and idempotent: the same records give the same status, so that writes can be told from no-ops.
 */
import type { ContainerRecord } from "./container-record.ts";
import type { Pod } from "./core-types.ts";
import { buildPodConditions } from "./pod-conditions.ts";
import { computeQosClass } from "./resources.ts";
import type { ContainerState, ContainerStatus, PodPhase, PodStatus } from "./status-types.ts";

/** An end that the kubelet imposes on the whole pod. */
export interface PodVerdict {
  readonly reason: string;
  readonly message: string;
  /** Disrupted from outside: tells "the node went away" from "the program failed". */
  readonly isDisruption: boolean;
}

export interface StatusInput {
  readonly pod: Pod;
  readonly records: readonly ContainerRecord[];
  readonly initialized: boolean;
  readonly finished: boolean;
  /** Containers held back by their crash backoff, with its length. */
  readonly backingOff: ReadonlyMap<string, number>;
  readonly verdict: PodVerdict | undefined;
  readonly hostIP: string;
  readonly podIP: string;
  /** When the kubelet took the pod over; RFC 3339. */
  readonly startTime: string;
  readonly now: string;
}

export function computePodStatus(input: StatusInput): PodStatus {
  const phase = computePhase(input);
  const statuses = (isInit: boolean) =>
    input.records
      .filter((record) => (record.role !== "main") === isInit)
      .map((record) => buildContainerStatus(record, input));
  const inits = statuses(true);
  const { generation } = input.pod.metadata;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    ...(input.verdict === undefined ? {} : { reason: input.verdict.reason, message: input.verdict.message }),
    conditions: buildPodConditions(input, phase),
    hostIP: input.hostIP,
    hostIPs: [{ ip: input.hostIP }],
    podIP: input.podIP,
    podIPs: [{ ip: input.podIP }],
    startTime: input.startTime,
    qosClass: input.pod.status?.qosClass ?? computeQosClass(input.pod),
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits }),
    containerStatuses: statuses(false),
  };
}

export function computePhase(input: StatusInput): PodPhase {
  const running = input.records.some((record) => record.starting || record.state.kind === "running");
  if (input.verdict !== undefined && !running) return "Failed";
  if (!input.initialized) return input.finished && !running ? "Failed" : "Pending";
  const mains = input.records.filter((record) => record.role === "main");
  if (input.finished && !running) return mains.every(hasSucceeded) ? "Succeeded" : "Failed";
  // Waiting for its first start; a container that waits after a crash has run, so the pod counts as running.
  const fresh = mains.some((record) => record.state.kind === "waiting" && record.last === undefined);
  return fresh ? "Pending" : "Running";
}

function hasSucceeded(record: ContainerRecord): boolean {
  return record.state.kind === "terminated" && record.state.terminated.exitCode === 0;
}

function buildContainerStatus(record: ContainerRecord, input: StatusInput): ContainerStatus {
  const image = record.spec.image ?? "";
  const lastState = computeLastState(record, input);
  return {
    name: record.name,
    image,
    imageID: record.containerId === undefined ? "" : `process://${image}`,
    ...(record.containerId === undefined ? {} : { containerID: record.containerId }),
    // An init container that has done its work counts as ready.
    ready: record.role === "init" ? hasSucceeded(record) : record.ready,
    started: record.started,
    restartCount: record.restartCount,
    state: computeState(record, input),
    ...buildResources(record),
    ...(lastState === undefined ? {} : { lastState: { terminated: lastState } }),
  };
}

/** Requests as they were granted by the scheduler; of the limits only those that the host enforces. */
function buildResources(record: ContainerRecord): Pick<ContainerStatus, "resources" | "allocatedResources"> {
  const { requests, limits } = record.spec.resources ?? {};
  const enforced = Object.entries(limits ?? {}).filter(([name]) =>
    (record.limited as readonly string[]).includes(name),
  );
  if (record.containerId === undefined || (requests === undefined && enforced.length === 0)) return {};
  const granted = requests === undefined ? {} : { allocatedResources: requests };
  const applied = {
    ...(enforced.length === 0 ? {} : { limits: Object.fromEntries(enforced) }),
    ...(requests === undefined ? {} : { requests }),
  };
  return { ...granted, resources: applied };
}

function computeState(record: ContainerRecord, input: StatusInput): ContainerState {
  const delayMs = input.backingOff.get(record.name);
  if (delayMs !== undefined) {
    const { name, namespace } = input.pod.metadata;
    const message = `back-off ${formatDelay(delayMs)} restarting failed container=${record.name} pod=${name}_${namespace}`;
    return { waiting: { reason: "CrashLoopBackOff", message } };
  }
  if (record.state.kind === "waiting") return { waiting: record.state.waiting };
  if (record.state.kind === "running") return { running: { startedAt: record.state.startedAt } };
  return { terminated: record.state.terminated };
}

/** While a crashed container waits, its end is the last state, not the present one. */
function computeLastState(record: ContainerRecord, input: StatusInput) {
  const isHeld = input.backingOff.has(record.name) && record.state.kind === "terminated";
  return isHeld && record.state.kind === "terminated" ? record.state.terminated : record.last;
}

function formatDelay(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds}s`;
  return `${Math.floor(seconds / 60)}m${Math.round(seconds % 60)}s`;
}
