/** The pod table: the status word that people read is computed from container states as the real server does. Pure. */
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Column } from "../registry/kind.ts";
import { formatAge } from "./age.ts";
import { ageColumn, conditionOf, nameColumn } from "./common-columns.ts";

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
  wide(
    "IP",
    (pod) => asString(asObject(asArray(statusOf(pod).podIPs)[0]).ip) || asString(statusOf(pod).podIP) || "<none>",
  ),
  wide("Node", (pod) => asString(specOf(pod).nodeName) || "<none>"),
  wide("Nominated Node", (pod) => asString(statusOf(pod).nominatedNodeName) || "<none>"),
  wide("Readiness Gates", readinessGates),
];

function containerStatuses(pod: KubeObject, field = "containerStatuses"): JsonObject[] {
  return asArray(statusOf(pod)[field]).map(asObject);
}

/** Init containers that go on running beside the others. */
function sidecars(pod: KubeObject): ReadonlySet<unknown> {
  const init = asArray(specOf(pod).initContainers).map(asObject);
  return new Set(init.filter((container) => container.restartPolicy === "Always").map((container) => container.name));
}

function readyCount(pod: KubeObject): string {
  const kept = sidecars(pod);
  const total = asArray(specOf(pod).containers).length + kept.size;
  const { word, started } = initProgress(pod);
  const inMain = word === undefined || isInitialized(pod);
  const ready = inMain
    ? containerStatuses(pod).filter((status) => status.ready === true && isObject(asObject(status.state).running))
    : [];
  return `${ready.length + started.filter((status) => status.ready === true).length}/${total}`;
}

function isInitialized(pod: KubeObject): boolean {
  return conditionOf(pod, "Initialized")?.status === "True";
}

function restarts(pod: KubeObject, nowMs: number): string {
  const kept = sidecars(pod);
  const { word, seen } = initProgress(pod);
  const statuses =
    word === undefined || isInitialized(pod)
      ? [...seen.filter((status) => kept.has(status.name)), ...containerStatuses(pod)]
      : seen;
  const total = statuses.reduce((sum, status) => sum + Number(status.restartCount ?? 0), 0);
  const ends = statuses
    .map((status) => asString(asObject(asObject(status.lastState).terminated).finishedAt))
    .filter((end) => end !== "");
  return total === 0 || ends.length === 0 ? String(total) : `${total} (${formatAge(ends.sort().at(-1), nowMs)} ago)`;
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
  const phase = asString(status.phase);
  const gated = conditionOf(pod, "PodScheduled")?.reason === "SchedulingGated" ? "SchedulingGated" : undefined;
  const first = gated ?? (asString(status.reason) || phase);
  const { word } = initProgress(pod);
  const shown = word !== undefined && !isInitialized(pod) ? word : containerWord(pod, word ?? first);
  if (pod.metadata.deletionTimestamp === undefined) return shown;
  if (status.reason === "NodeLost") return "Unknown";
  return phase === "Succeeded" || phase === "Failed" ? shown : "Terminating";
}

function terminatedWord(terminated: JsonObject, prefix = ""): string {
  const reason = asString(terminated.reason);
  if (reason !== "") return `${prefix}${reason}`;
  return Number(terminated.signal ?? 0) !== 0
    ? `${prefix}Signal:${terminated.signal}`
    : `${prefix}ExitCode:${terminated.exitCode ?? 0}`;
}

interface InitProgress {
  /** While something keeps the pod from starting. */
  readonly word: string | undefined;
  /** The statuses looked at up to there, and the sidecars among them that run. */
  readonly seen: readonly JsonObject[];
  readonly started: readonly JsonObject[];
}

function initProgress(pod: KubeObject): InitProgress {
  const kept = sidecars(pod);
  const total = asArray(specOf(pod).initContainers).length;
  const seen: JsonObject[] = [];
  const started: JsonObject[] = [];
  for (const [index, container] of containerStatuses(pod, "initContainerStatuses").entries()) {
    seen.push(container);
    const state = asObject(container.state);
    if (isObject(state.terminated) && Number(state.terminated.exitCode ?? 0) === 0) continue;
    if (kept.has(container.name) && container.started === true) started.push(container);
    else return { word: initWord(state, `${index}/${total}`), seen, started };
  }
  return { word: undefined, seen, started };
}

function initWord(state: JsonObject, progress: string): string {
  if (isObject(state.terminated)) return terminatedWord(state.terminated, "Init:");
  const reason = asString(asObject(state.waiting).reason);
  return reason !== "" && reason !== "PodInitializing" ? `Init:${reason}` : `Init:${progress}`;
}

/** The word of the first container that has something to say; `otherwise` where none has. */
function containerWord(pod: KubeObject, otherwise: string): string {
  let word = otherwise;
  let failure = "";
  let running = false;
  for (const container of containerStatuses(pod).reverse()) {
    const { waiting, terminated, running: runs } = asObject(container.state);
    const reason = asString(asObject(waiting).reason);
    if (reason !== "") word = reason;
    else if (isObject(terminated)) {
      word = terminatedWord(terminated);
      if (Number(terminated.exitCode ?? 0) !== 0) failure = word;
    } else if (container.ready === true && isObject(runs)) running = true;
  }
  if (word !== "Completed") return word;
  if (running && conditionOf(pod, "Ready")?.status === "True") return "Running";
  return failure !== "" ? failure : running ? "NotReady" : word;
}
