/** Table columns of the workload kinds. Pure. */
import { asArray, asObject, asString, valueAt } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Column } from "../registry/kind.ts";
import { formatDuration } from "./age.ts";
import { conditionOf, formatLabels } from "./builtin-columns.ts";
import { ageColumn, nameColumn } from "./common-columns.ts";

const text = (name: string, value: Column["value"], priority = 0): Column => ({
  name,
  type: "string",
  description: "",
  priority,
  value,
});
const statusNumber = (name: string, field: string): Column => ({
  name,
  type: "integer",
  description: "",
  priority: 0,
  value: (object) => Number(statusOf(object)[field] ?? 0),
});
const replicas = (object: KubeObject) => Number(specOf(object).replicas ?? 0);
const containers = (object: KubeObject) =>
  asArray(valueAt(object.spec, ["template", "spec", "containers"])).map(asObject);

const templateColumns: readonly Column[] = [
  text(
    "Containers",
    (object) =>
      containers(object)
        .map((one) => asString(one.name))
        .join(","),
    1,
  ),
  text(
    "Images",
    (object) =>
      containers(object)
        .map((one) => asString(one.image))
        .join(","),
    1,
  ),
  text("Selector", (object) => formatLabels(valueAt(object.spec, ["selector", "matchLabels"])), 1),
];

export const deploymentColumns: readonly Column[] = [
  nameColumn,
  text("Ready", (object) => `${Number(statusOf(object).readyReplicas ?? 0)}/${replicas(object)}`),
  statusNumber("Up-to-date", "updatedReplicas"),
  statusNumber("Available", "availableReplicas"),
  ageColumn,
  ...templateColumns,
];

export const replicaSetColumns: readonly Column[] = [
  nameColumn,
  { ...text("Desired", replicas), type: "integer" },
  statusNumber("Current", "replicas"),
  statusNumber("Ready", "readyReplicas"),
  ageColumn,
  ...templateColumns,
];

export const statefulSetColumns: readonly Column[] = [
  nameColumn,
  text("Ready", (object) => `${Number(statusOf(object).readyReplicas ?? 0)}/${replicas(object)}`),
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
  text("Node Selector", (object) => formatLabels(valueAt(object.spec, ["template", "spec", "nodeSelector"]))),
  ageColumn,
  ...templateColumns,
];

export const jobColumns: readonly Column[] = [
  nameColumn,
  text("Status", jobStatus),
  text(
    "Completions",
    (job) => `${Number(statusOf(job).succeeded ?? 0)}/${specOf(job).completions ?? specOf(job).parallelism ?? 1}`,
  ),
  text("Duration", jobDuration),
  ageColumn,
  ...templateColumns,
];

function jobStatus(job: KubeObject): string {
  const isTrue = (type: string) => conditionOf(job, type)?.status === "True";
  if (isTrue("Complete")) return "Complete";
  if (isTrue("Failed")) return "Failed";
  if (job.metadata.deletionTimestamp !== undefined) return "Terminating";
  return isTrue("Suspended") ? "Suspended" : "Running";
}

function jobDuration(job: KubeObject, nowMs: number): string {
  const { startTime, completionTime } = statusOf(job);
  if (typeof startTime !== "string") return "";
  const end = typeof completionTime === "string" ? Date.parse(completionTime) : nowMs;
  return formatDuration(end - Date.parse(startTime));
}
