/** The pod table: the status word that people read is computed from container states as the real server does. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Column } from "../registry/kind.ts";
import { formatAge } from "./age.ts";
import { ageColumn, nameColumn } from "./common-columns.ts";

const wide = (name: string, value: Column["value"]): Column => ({
  name,
  type: "string",
  description: "",
  priority: 1,
  value,
});

export const podColumns: readonly Column[] = [
  nameColumn,
  { name: "Ready", type: "string", description: "", priority: 0, value: readyCount },
  { name: "Status", type: "string", description: "", priority: 0, value: podStatusWord },
  { name: "Restarts", type: "string", description: "", priority: 0, value: restarts },
  ageColumn,
  wide("IP", (pod) => asString(statusOf(pod).podIP) || "<none>"),
  wide("Node", (pod) => asString(specOf(pod).nodeName) || "<none>"),
  wide("Nominated Node", (pod) => asString(statusOf(pod).nominatedNodeName) || "<none>"),
  wide("Readiness Gates", readinessGates),
];

function containerStatuses(pod: KubeObject, field = "containerStatuses"): JsonObject[] {
  return asArray(statusOf(pod)[field]).map(asObject);
}

/** Sidecars count with the main containers. */
function readyCount(pod: KubeObject): string {
  const sidecars = sidecarNames(pod);
  const ready = [
    ...containerStatuses(pod).filter((status) => isObject(asObject(status.state).running)),
    ...containerStatuses(pod, "initContainerStatuses").filter((one) => isStartedSidecar(one, sidecars)),
  ].filter((status) => status.ready === true);
  return `${ready.length}/${asArray(specOf(pod).containers).length + sidecars.size}`;
}

function sidecarNames(pod: KubeObject): ReadonlySet<string> {
  const containers = asArray(specOf(pod).initContainers).map(asObject);
  return new Set(containers.filter((one) => one.restartPolicy === "Always").map((one) => asString(one.name)));
}

function isStartedSidecar(status: JsonObject, sidecars: ReadonlySet<string>): boolean {
  return sidecars.has(asString(status.name)) && status.started === true;
}

/** While init containers run their restarts are shown, afterwards those of sidecars and main containers. */
function restarts(pod: KubeObject, nowMs: number): string {
  const inits = containerStatuses(pod, "initContainerStatuses");
  const sidecars = sidecarNames(pod);
  const later = [...inits.filter((one) => sidecars.has(asString(one.name))), ...containerStatuses(pod)];
  const statuses = isInitializing(pod) ? inits : later;
  const total = statuses.reduce((sum, status) => sum + Number(status.restartCount ?? 0), 0);
  const ends = statuses
    .map((status) => asString(asObject(asObject(status.lastState).terminated).finishedAt))
    .filter((end) => end !== "");
  return total === 0 || ends.length === 0 ? String(total) : `${total} (${formatAge(ends.sort().at(-1), nowMs)} ago)`;
}

function isInitializing(pod: KubeObject): boolean {
  const conditions = asArray(statusOf(pod).conditions).map(asObject);
  const isInitialized = conditions.some((one) => one.type === "Initialized" && one.status === "True");
  return !isInitialized && initStatusWord(pod) !== undefined;
}

function readinessGates(pod: KubeObject): string {
  const gates = asArray(specOf(pod).readinessGates).map((gate) => asString(asObject(gate).conditionType));
  if (gates.length === 0) return "<none>";
  const conditions = asArray(statusOf(pod).conditions).map(asObject);
  const met = gates.filter((gate) => conditions.some((one) => one.type === gate && one.status === "True"));
  return `${met.length}/${gates.length}`;
}

export function podStatusWord(pod: KubeObject): string {
  const status = statusOf(pod);
  const phase = asString(status.reason) || asString(status.phase);
  const scheduled = asArray(status.conditions)
    .map(asObject)
    .find((one) => one.type === "PodScheduled");
  const gated = scheduled?.reason === "SchedulingGated" ? "SchedulingGated" : undefined;
  const word = (isInitializing(pod) ? initStatusWord(pod) : containerWord(pod)) ?? gated ?? phase;
  if (pod.metadata.deletionTimestamp === undefined) return word;
  if (status.reason === "NodeLost") return "Unknown";
  return phase === "Succeeded" || phase === "Failed" ? word : "Terminating";
}

function terminatedWord(terminated: JsonObject, prefix = ""): string {
  const reason = asString(terminated.reason);
  if (reason !== "") return `${prefix}${reason}`;
  return Number(terminated.signal ?? 0) !== 0
    ? `${prefix}Signal:${terminated.signal}`
    : `${prefix}ExitCode:${terminated.exitCode}`;
}

function initStatusWord(pod: KubeObject): string | undefined {
  const total = asArray(specOf(pod).initContainers).length;
  const sidecars = sidecarNames(pod);
  for (const [index, container] of containerStatuses(pod, "initContainerStatuses").entries()) {
    const state = asObject(container.state);
    const terminated = state.terminated;
    if (isObject(terminated) && terminated.exitCode === 0) continue;
    if (isStartedSidecar(container, sidecars)) continue;
    if (isObject(terminated)) return terminatedWord(terminated, "Init:");
    const reason = asString(asObject(state.waiting).reason);
    return reason !== "" && reason !== "PodInitializing" ? `Init:${reason}` : `Init:${index}/${total}`;
  }
  return undefined;
}

function containerWord(pod: KubeObject): string | undefined {
  let word: string | undefined;
  let running = false;
  for (const container of containerStatuses(pod).reverse()) {
    const state = asObject(container.state);
    const waiting = asString(asObject(state.waiting).reason);
    if (waiting !== "") word = waiting;
    else if (isObject(state.terminated)) word = terminatedWord(state.terminated);
    else if (container.ready === true && isObject(state.running)) running = true;
  }
  if (word !== "Completed" || !running) return word;
  const ready = asArray(statusOf(pod).conditions)
    .map(asObject)
    .find((one) => one.type === "Ready");
  return ready?.status === "True" ? "Running" : "NotReady";
}
