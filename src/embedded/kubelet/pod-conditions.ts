/**
 * The conditions a kubelet owns on a pod. Conditions of others (the scheduler's, readiness gates) are kept, and the time
 * of the last transition changes with the status alone. Pure.
 */
import type { ContainerRecord } from "./container-record.ts";
import type { StatusInput } from "./pod-status.ts";
import type { Condition, PodPhase } from "./status-types.ts";

type Finding = Pick<Condition, "status" | "reason" | "message">;

/** DisruptionTarget is shared: who evicts or preempts a pod says so, and the kubelet only where it ends one itself. */
const owned = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

export function buildPodConditions(input: StatusInput, phase: PodPhase): readonly Condition[] {
  const existing = input.pod.status?.conditions ?? [];
  const containersReady = findContainersReady(input, phase);
  const findings: [string, Finding][] = [
    [
      "PodReadyToStartContainers",
      { status: !hasEnded(phase) && input.records.some(hasBeenReached) ? "True" : "False" },
    ],
    ["Initialized", findInitialized(input, phase)],
    ["Ready", findReady(input, containersReady)],
    ["ContainersReady", containersReady],
    ["PodScheduled", { status: "True" }],
  ];
  if (input.verdict?.isDisruption === true) {
    findings.push([
      "DisruptionTarget",
      { status: "True", reason: "TerminationByKubelet", message: input.verdict.message },
    ]);
  }
  const found = findings.map(([type]) => type);
  const foreign = existing.filter(({ type }) => !owned.includes(type) && !found.includes(type));
  const { generation } = input.pod.metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  return [
    ...findings.map(([type, finding]) => ({ ...mergeCondition(existing, type, finding, input.now), ...observed })),
    ...foreign,
  ];
}

function mergeCondition(existing: readonly Condition[], type: string, finding: Finding, now: string): Condition {
  const before = existing.find((condition) => condition.type === type);
  const isSame = before?.status === finding.status && before.lastTransitionTime !== undefined;
  return { type, ...finding, lastTransitionTime: isSame ? (before.lastTransitionTime ?? now) : now };
}

function hasEnded(phase: PodPhase): boolean {
  return phase === "Succeeded" || phase === "Failed";
}

/** The pod's volumes are there: one of its containers was started, or failed for a reason of its own. */
function hasBeenReached(record: ContainerRecord): boolean {
  if (record.starting || record.state.kind !== "waiting" || record.last !== undefined) return true;
  return !["ContainerCreating", "PodInitializing"].includes(record.state.waiting.reason);
}

function findInitialized(input: StatusInput, phase: PodPhase): Finding {
  if (phase === "Succeeded") return { status: "True", reason: "PodCompleted" };
  if (input.initialized) return { status: "True" };
  const open = input.records
    .filter((record) => record.role !== "main" && !isInitDone(record))
    .map((record) => record.name);
  return {
    status: "False",
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: [${open.join(" ")}]`,
  };
}

function isInitDone(record: ContainerRecord): boolean {
  if (record.role === "sidecar") return record.started;
  return record.state.kind === "terminated" && record.state.terminated.exitCode === 0;
}

function findContainersReady(input: StatusInput, phase: PodPhase): Finding {
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const unready = input.records
    .filter((record) => record.role !== "init" && !record.ready)
    .map((record) => record.name);
  if (unready.length === 0) return { status: "True" };
  return {
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: [${unready.join(" ")}]`,
  };
}

function findReady(input: StatusInput, containersReady: Finding): Finding {
  if (containersReady.status !== "True") return containersReady;
  const conditions = input.pod.status?.conditions ?? [];
  const gates = (input.pod.spec.readinessGates ?? []).map((gate) => gate.conditionType);
  const closed = gates.filter((type) => conditions.find((condition) => condition.type === type)?.status !== "True");
  if (closed.length === 0) return { status: "True" };
  return {
    status: "False",
    reason: "ReadinessGatesNotReady",
    message: `the status of pod readiness gates is not "True": ${closed.join(", ")}`,
  };
}
