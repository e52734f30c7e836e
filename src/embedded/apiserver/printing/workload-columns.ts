/** Table columns of the workload kinds. Pure. */
import { asArray, asObject, asString, type JsonObject, valueAt } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Column } from "../registry/kind.ts";
import { formatAge, formatDuration } from "./age.ts";
import { ageColumn, column, conditionOf, formatLabels, formatSelector, nameColumn } from "./common-columns.ts";

const statusNumber = (name: string, field: string): Column =>
  column(name, (object) => Number(statusOf(object)[field] ?? 0), { type: "integer" });
const replicas = (object: KubeObject) => Number(specOf(object).replicas ?? 0);
const wide = { wide: true } as const;

/** Names and images of the containers in the pod template below `path`. */
function containerColumns(...path: string[]): readonly Column[] {
  const list = (object: KubeObject, field: string) =>
    asArray(valueAt(object, [...path, "spec", "containers"]))
      .map((container) => asString(asObject(container)[field]))
      .join(",");
  return [
    column("Containers", (object) => list(object, "name"), wide),
    column("Images", (object) => list(object, "image"), wide),
  ];
}

const templateColumns: readonly Column[] = [
  ...containerColumns("spec", "template"),
  column("Selector", (object) => formatSelector(specOf(object).selector), wide),
];

export const podTemplateColumns: readonly Column[] = [
  nameColumn,
  ...containerColumns("template").map((one) => ({ ...one, priority: 0 })),
  column("Pod Labels", (object) => formatLabels(valueAt(object, ["template", "metadata", "labels"]))),
];

export const deploymentColumns: readonly Column[] = [
  nameColumn,
  column("Ready", (object) => `${Number(statusOf(object).readyReplicas ?? 0)}/${replicas(object)}`),
  statusNumber("Up-to-date", "updatedReplicas"),
  statusNumber("Available", "availableReplicas"),
  ageColumn,
  ...templateColumns,
];

export const replicaSetColumns: readonly Column[] = [
  nameColumn,
  column("Desired", replicas, { type: "integer" }),
  statusNumber("Current", "replicas"),
  statusNumber("Ready", "readyReplicas"),
  ageColumn,
  ...templateColumns,
];

export const statefulSetColumns: readonly Column[] = [
  nameColumn,
  column("Ready", (object) => `${Number(statusOf(object).readyReplicas ?? 0)}/${replicas(object)}`),
  ageColumn,
  ...templateColumns.slice(0, 2),
];

export const daemonSetColumns: readonly Column[] = [
  nameColumn,
  statusNumber("Desired", "desiredNumberScheduled"),
  statusNumber("Current", "currentNumberScheduled"),
  statusNumber("Ready", "numberReady"),
  statusNumber("Up-to-date", "updatedNumberScheduled"),
  statusNumber("Available", "numberAvailable"),
  column("Node Selector", (object) => formatLabels(valueAt(object.spec, ["template", "spec", "nodeSelector"]))),
  ageColumn,
  ...templateColumns,
];

export const jobColumns: readonly Column[] = [
  nameColumn,
  column("Status", jobStatus),
  column("Completions", jobCompletions),
  column("Duration", jobDuration),
  ageColumn,
  ...templateColumns,
];

function jobCompletions(job: KubeObject): string {
  const { completions, parallelism } = specOf(job);
  const done = Number(statusOf(job).succeeded ?? 0);
  if (completions !== undefined) return `${done}/${completions}`;
  return Number(parallelism ?? 0) > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

function jobStatus(job: KubeObject): string {
  const isTrue = (type: string) => conditionOf(job, type)?.status === "True";
  if (isTrue("Complete")) return "Complete";
  if (isTrue("Failed")) return "Failed";
  if (job.metadata.deletionTimestamp !== undefined) return "Terminating";
  return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find(isTrue) ?? "Running";
}

function jobDuration(job: KubeObject, nowMs: number): string {
  const { startTime, completionTime } = statusOf(job);
  if (typeof startTime !== "string") return "";
  const end = typeof completionTime === "string" ? Date.parse(completionTime) : nowMs;
  return formatDuration(end - Date.parse(startTime));
}

export const replicationControllerColumns: readonly Column[] = [
  ...replicaSetColumns.slice(0, -1),
  column("Selector", (object) => formatLabels(specOf(object).selector), wide),
];

export const cronJobColumns: readonly Column[] = [
  nameColumn,
  column("Schedule", (object) => specOf(object).schedule ?? ""),
  column("Timezone", (object) => specOf(object).timeZone ?? "<none>"),
  column("Suspend", (object) => titled(specOf(object).suspend), { type: "boolean" }),
  column("Active", (object) => asArray(statusOf(object).active).length, { type: "integer" }),
  column("Last Schedule", (object, nowMs) => {
    const last = statusOf(object).lastScheduleTime;
    return last === undefined ? "<none>" : formatAge(last, nowMs);
  }),
  ageColumn,
  ...containerColumns("spec", "jobTemplate", "spec", "template"),
  column("Selector", (object) => formatSelector(valueAt(object, ["spec", "jobTemplate", "spec", "selector"])), wide),
];

const titled = (value: unknown) => (value === undefined ? "<unset>" : value === true ? "True" : "False");

export const controllerRevisionColumns: readonly Column[] = [
  nameColumn,
  column("Controller", (object) => {
    const owner = object.metadata.ownerReferences?.find((one) => one.controller === true);
    if (owner === undefined) return "<none>";
    const [group = "", version] = owner.apiVersion.split("/");
    return `${owner.kind.toLowerCase()}${version === undefined ? "" : `.${group}`}/${owner.name}`;
  }),
  column("Revision", (object) => object.revision ?? 0),
  ageColumn,
];

export const disruptionBudgetColumns: readonly Column[] = [
  nameColumn,
  column("Min Available", (object) => String(specOf(object).minAvailable ?? "N/A")),
  column("Max Unavailable", (object) => String(specOf(object).maxUnavailable ?? "N/A")),
  statusNumber("Allowed Disruptions", "disruptionsAllowed"),
  ageColumn,
];

export const autoscalerColumns: readonly Column[] = [
  nameColumn,
  column("Reference", (object) => {
    const { kind, name } = asObject(specOf(object).scaleTargetRef);
    return `${asString(kind)}/${asString(name)}`;
  }),
  column("Targets", metricTargets),
  column("MinPods", (object) => String(specOf(object).minReplicas ?? "<unset>")),
  column("MaxPods", (object) => specOf(object).maxReplicas ?? 0),
  column("Replicas", (object) => statusOf(object).currentReplicas ?? 0),
  ageColumn,
];

const shownMetrics = 2;

function metricTargets(autoscaler: KubeObject): string {
  const metrics = asArray(specOf(autoscaler).metrics).map(asObject);
  const current = asArray(statusOf(autoscaler).currentMetrics).map(asObject);
  if (metrics.length === 0) return "<none>";
  const list = metrics.map((metric, index) => metricTarget(metric, current[index] ?? {}));
  const shown = list.slice(0, shownMetrics).join(", ");
  return list.length > shownMetrics ? `${shown} + ${list.length - shownMetrics} more...` : shown;
}

const metricSources: Readonly<Record<string, string>> = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
};

function metricTarget(metric: JsonObject, current: JsonObject): string {
  const field = metricSources[asString(metric.type)];
  if (field === undefined) return "<unknown type>";
  const source = asObject(metric[field]);
  const target = asObject(source.target);
  const now = asObject(asObject(current[field]).current);
  const isResource = field === "resource" || field === "containerResource";
  if (!isResource) {
    if (target.averageValue === undefined) return `${now.value ?? "<unknown>"}/${target.value}`;
    const suffix = field === "pods" ? "" : " (avg)";
    return `${now.averageValue ?? "<unknown>"}/${target.averageValue}${suffix}`;
  }
  if (target.averageValue !== undefined)
    return `${source.name}: ${now.averageValue ?? "<unknown>"}/${target.averageValue}`;
  const percent = (value: unknown, absent: string) => (value === undefined ? absent : `${value}%`);
  const used = percent(now.averageUtilization, "<unknown>");
  return `${source.name}: ${used}/${percent(target.averageUtilization, "<auto>")}`;
}
