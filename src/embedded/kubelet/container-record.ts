/**
 * What the kubelet knows of one container, and its changes. Pure: every change gives a new record. The pod worker holds
 * the records; `decide-pod.ts` and `pod-status.ts` read them.
 */
import type { LimitedResource } from "./cgroups.ts";
import type { Container, Pod } from "./core-types.ts";
import { advanceBackoff, type CrashBackoff, type CrashBackoffOptions } from "./crash-backoff.ts";
import { isSidecar } from "./resources.ts";
import type { ContainerStatus, TerminatedState, WaitingState } from "./status-types.ts";

export type ContainerRole = "init" | "sidecar" | "main";

export type RecordState =
  /** Never started, or about to start again: `reason` says what it waits for. */
  | { readonly kind: "waiting"; readonly waiting: WaitingState }
  | { readonly kind: "running"; readonly startedAt: string }
  | { readonly kind: "terminated"; readonly terminated: TerminatedState };

export interface ContainerRecord {
  readonly name: string;
  readonly role: ContainerRole;
  readonly spec: Container;
  readonly state: RecordState;
  /** Milliseconds since the epoch of the last end; `finishedAt` has whole seconds only, too coarse for the backoff. */
  readonly endedAt: number | undefined;
  /** The end before the present run. */
  readonly last: TerminatedState | undefined;
  readonly restartCount: number;
  readonly containerId: string | undefined;
  /** Its process runs and its postStart hook has not ended: it counts as waiting, and what follows it waits too. */
  readonly starting: boolean;
  /** Which of its limits the host enforces. */
  readonly limited: readonly LimitedResource[];
  /** Its startup probe has passed. */
  readonly started: boolean;
  /** Its readiness probe passes. */
  readonly ready: boolean;
  readonly backoff: CrashBackoff | undefined;
  /** Milliseconds since the epoch before which a failed start is not tried again, and how often it has failed. */
  readonly retry: { readonly at: number; readonly failures: number } | undefined;
}

export function createRecords(pod: Pod): readonly ContainerRecord[] {
  const hasInit = (pod.spec.initContainers ?? []).length > 0;
  const create = (spec: Container, role: ContainerRole): ContainerRecord => ({
    name: spec.name,
    role,
    spec,
    state: { kind: "waiting", waiting: { reason: hasInit ? "PodInitializing" : "ContainerCreating" } },
    endedAt: undefined,
    last: undefined,
    restartCount: 0,
    containerId: undefined,
    starting: false,
    limited: [],
    started: false,
    ready: false,
    backoff: undefined,
    retry: undefined,
  });
  return [
    ...(pod.spec.initContainers ?? []).map((spec) => create(spec, isSidecar(spec) ? "sidecar" : "init")),
    ...pod.spec.containers.map((spec) => create(spec, "main")),
  ];
}

/**
 * Takes over what an earlier kubelet had reported. What it left running was killed with it: that end is unknown to us, so
 * it is 137 with the reason that Kubernetes uses for it.
 */
export function restoreRecord(
  record: ContainerRecord,
  status: ContainerStatus | undefined,
  now: string,
): ContainerRecord {
  if (status === undefined) return record;
  const restored = {
    ...record,
    restartCount: status.restartCount,
    last: status.lastState?.terminated,
    containerId: status.containerID,
  };
  const lost: TerminatedState = {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the kubelet started: it ended together with an earlier kubelet.",
    startedAt: status.state?.running?.startedAt ?? now,
    finishedAt: now,
  };
  if (status.state?.running !== undefined) return { ...restored, state: { kind: "terminated", terminated: lost } };
  const ended = status.state?.terminated;
  if (ended !== undefined) return { ...restored, state: { kind: "terminated", terminated: ended } };
  const previous = status.lastState?.terminated;
  return previous === undefined ? restored : { ...restored, state: { kind: "terminated", terminated: previous } };
}

/** The process runs; its postStart hook begins. */
export function markStarting(record: ContainerRecord, limited: readonly LimitedResource[]): ContainerRecord {
  return { ...record, starting: true, limited };
}

export interface StartedRun {
  readonly containerId: string;
  readonly startedAt: string;
  readonly now: number;
}

export function markStarted(record: ContainerRecord, run: StartedRun, options: CrashBackoffOptions): ContainerRecord {
  // A start that failed in between leaves the earlier end in `last`: it is a restart all the same.
  const ended = record.state.kind === "terminated" ? record.state.terminated : record.last;
  return {
    ...record,
    state: { kind: "running", startedAt: run.startedAt },
    starting: false,
    containerId: run.containerId,
    last: ended,
    restartCount: ended === undefined ? record.restartCount : record.restartCount + 1,
    backoff:
      ended === undefined ? record.backoff : advanceBackoff(record.backoff, computeTimes(record, run.now), options),
    started: record.spec.startupProbe === undefined,
    ready: record.spec.startupProbe === undefined && record.spec.readinessProbe === undefined,
    retry: undefined,
  };
}

function computeTimes(record: ContainerRecord, now: number) {
  return { finishedAt: computeEndedAt(record, now), now };
}

/** Milliseconds since the epoch. */
export function computeEndedAt(record: ContainerRecord, fallback: number): number {
  const ended = record.state.kind === "terminated" ? record.state.terminated : record.last;
  return record.endedAt ?? parseTime(ended?.finishedAt, fallback);
}

export function markTerminated(record: ContainerRecord, terminated: TerminatedState, now: number): ContainerRecord {
  return { ...record, state: { kind: "terminated", terminated }, endedAt: now, started: false, ready: false };
}

/** A start that failed before there was a process; it is tried again at `retryAt`. */
export function markStartFailed(record: ContainerRecord, waiting: WaitingState, retryAt: number): ContainerRecord {
  const failures = (record.retry?.failures ?? 0) + 1;
  const retry = { at: retryAt, failures };
  if (record.state.kind === "terminated")
    return { ...record, last: record.state.terminated, state: { kind: "waiting", waiting }, retry };
  return { ...record, state: { kind: "waiting", waiting }, retry };
}

export function parseTime(time: string | undefined, fallback: number): number {
  const parsed = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(parsed) ? fallback : parsed;
}
