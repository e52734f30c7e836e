/** Table columns of the built-in kinds, as the real server prints them. Pure. */
import { asArray, asObject, asString, isObject, valueAt } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Column } from "../registry/kind.ts";
import { formatAge, formatDuration } from "./age.ts";
import { ageColumn, column, conditionOf, formatLabels, listSome, nameColumn, type Read } from "./common-columns.ts";

const none = (value: unknown) => (value === undefined || value === "" ? "<none>" : value);
const isSet = (value: unknown) => typeof value === "string" && value !== "";
const unknown = (value: unknown) => (value === undefined || value === "" ? "<unknown>" : value);
const count =
  (field: string): Read =>
  (object) =>
    Object.keys(asObject(object[field])).length;

export const namespaceColumns: readonly Column[] = [
  nameColumn,
  column("Status", (o) => statusOf(o).phase ?? ""),
  ageColumn,
];

export const configMapColumns: readonly Column[] = [
  nameColumn,
  column("Data", (o) => Object.keys(asObject(o.data)).length + Object.keys(asObject(o.binaryData)).length),
  ageColumn,
];

export const secretColumns: readonly Column[] = [
  nameColumn,
  column("Type", (o) => o.type ?? ""),
  column("Data", count("data")),
  ageColumn,
];

export const serviceAccountColumns: readonly Column[] = [nameColumn, ageColumn];

export const nodeColumns: readonly Column[] = [
  nameColumn,
  column("Status", nodeStatus),
  column("Roles", nodeRoles),
  ageColumn,
  column("Version", (o) => valueAt(o.status, ["nodeInfo", "kubeletVersion"]) ?? ""),
  column("Internal-IP", (o) => nodeAddress(o, "InternalIP"), { wide: true }),
  column("External-IP", (o) => nodeAddress(o, "ExternalIP"), { wide: true }),
  column("OS-Image", (o) => unknown(valueAt(o.status, ["nodeInfo", "osImage"])), { wide: true }),
  column("Kernel-Version", kernelVersion, { wide: true }),
  column("Container-Runtime", (o) => unknown(valueAt(o.status, ["nodeInfo", "containerRuntimeVersion"])), {
    wide: true,
  }),
];

function kernelVersion(node: KubeObject): string {
  const { kernelVersion: version, architecture } = asObject(statusOf(node).nodeInfo);
  return `${unknown(version)}${isSet(architecture) ? ` (${architecture})` : ""}`;
}

function nodeStatus(node: KubeObject): string {
  const ready = conditionOf(node, "Ready");
  const word = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return specOf(node).unschedulable === true ? `${word},SchedulingDisabled` : word;
}

function nodeRoles(node: KubeObject): string {
  const prefix = "node-role.kubernetes.io/";
  const labels = node.metadata.labels ?? {};
  const keys = Object.keys(labels).filter((key) => key.startsWith(prefix) && key !== prefix);
  const older = labels["kubernetes.io/role"];
  const roles = new Set([...keys.map((key) => key.slice(prefix.length)), ...(older ? [older] : [])]);
  return roles.size === 0 ? "<none>" : [...roles].sort().join(",");
}

function nodeAddress(node: KubeObject, type: string): string {
  const address = asArray(statusOf(node).addresses)
    .map(asObject)
    .find((one) => one.type === type);
  return asString(address?.address) || "<none>";
}

export const serviceColumns: readonly Column[] = [
  nameColumn,
  column("Type", (o) => specOf(o).type ?? ""),
  column("Cluster-IP", (o) => none(asArray(specOf(o).clusterIPs)[0])),
  column("External-IP", externalIps),
  column("Port(s)", servicePorts),
  ageColumn,
  column("Selector", (o) => formatLabels(specOf(o).selector), { wide: true }),
];

function servicePorts(service: KubeObject): string {
  const ports = asArray(specOf(service).ports).map(asObject);
  const shown = ports.map(
    (port) => `${port.port}${port.nodePort ? `:${port.nodePort}` : ""}/${port.protocol ?? "TCP"}`,
  );
  return shown.length === 0 ? "<none>" : shown.join(",");
}

function externalIps(service: KubeObject): string {
  const spec = specOf(service);
  if (spec.type === "ExternalName") return asString(spec.externalName);
  const given = asArray(spec.externalIPs).map(asString);
  const balanced = spec.type === "LoadBalancer" ? loadBalancerAddresses(service) : [];
  const all = [...balanced, ...given].join(",");
  return all !== "" ? all : spec.type === "LoadBalancer" ? "<pending>" : "<none>";
}

/** Sorted, as a set is. */
export function loadBalancerAddresses(object: KubeObject): string[] {
  const ingress = asArray(asObject(statusOf(object).loadBalancer).ingress).map(asObject);
  const shown = ingress.map((one) => asString(one.ip) || asString(one.hostname)).filter((text) => text !== "");
  return [...new Set(shown)].sort();
}

export const eventColumns: readonly Column[] = [
  column("Last Seen", eventTime),
  column("Type", (o) => o.type ?? ""),
  column("Reason", (o) => o.reason ?? ""),
  column("Object", (o) => {
    const { kind, name } = asObject(o.involvedObject);
    return `${asString(kind).toLowerCase()}${isSet(name) ? `/${name}` : ""}`;
  }),
  column("Subobject", (o) => asObject(o.involvedObject).fieldPath ?? "", { wide: true }),
  column("Source", eventSource, { wide: true }),
  column("Message", (o) => asString(o.message).trim()),
  column("First Seen", firstSeen, { wide: true }),
  column("Count", (o) => valueAt(o.series, ["count"]) ?? (o.count || 1), { wide: true }),
  { ...nameColumn, priority: 1 },
];

function firstSeen(event: KubeObject, nowMs: number): string {
  return formatAge(event.firstTimestamp ?? event.eventTime, nowMs);
}

function eventTime(event: KubeObject, nowMs: number): string {
  const last = valueAt(event.series, ["lastObservedTime"]) ?? event.lastTimestamp;
  return last === undefined ? firstSeen(event, nowMs) : formatAge(last, nowMs);
}

function eventSource(event: KubeObject): string {
  const source = asObject(event.source);
  const component = asString(source.component) || asString(event.reportingComponent);
  const instance = asString(source.host) || asString(event.reportingInstance);
  return [component, instance].filter((part) => part !== "").join(", ");
}

export const leaseColumns: readonly Column[] = [
  nameColumn,
  column("Holder", (o) => specOf(o).holderIdentity ?? ""),
  ageColumn,
];

export const priorityClassColumns: readonly Column[] = [
  nameColumn,
  column("Value", (o) => o.value ?? 0, { type: "integer" }),
  column("Global-Default", (o) => o.globalDefault === true, { type: "boolean" }),
  ageColumn,
  column("PreemptionPolicy", (o) => o.preemptionPolicy ?? ""),
];

export const createdAtColumn: Column = {
  ...column("Created At", (object) => object.metadata.creationTimestamp ?? ""),
  type: "date",
};
export const createdAtColumns: readonly Column[] = [nameColumn, createdAtColumn];

const subjects = (kind: string) => (binding: KubeObject) =>
  asArray(binding.subjects)
    .map(asObject)
    .filter((subject) => subject.kind === kind)
    .map((subject) =>
      kind === "ServiceAccount" ? `${asString(subject.namespace)}/${asString(subject.name)}` : asString(subject.name),
    )
    .join(", ");

export const roleBindingColumns: readonly Column[] = [
  nameColumn,
  column("Role", (o) => `${asString(asObject(o.roleRef).kind)}/${asString(asObject(o.roleRef).name)}`),
  ageColumn,
  column("Users", subjects("User"), { wide: true }),
  column("Groups", subjects("Group"), { wide: true }),
  column("ServiceAccounts", subjects("ServiceAccount"), { wide: true }),
];

export const endpointsColumns: readonly Column[] = [nameColumn, column("Endpoints", endpointAddresses), ageColumn];

function endpointAddresses(endpoints: KubeObject): string {
  const pairs = asArray(endpoints.subsets)
    .map(asObject)
    .flatMap((subset) => {
      const ports = asArray(subset.ports).map((port) => asObject(port).port);
      const ips = asArray(subset.addresses).map((address) => asString(asObject(address).ip));
      return ports.length === 0 ? ips : ports.flatMap((port) => ips.map((ip) => `${ip}:${port}`));
    });
  return asArray(endpoints.subsets).length === 0 ? "<none>" : listSome(pairs, 3);
}

export const limitRangeColumns: readonly Column[] = [nameColumn, createdAtColumn];

export const resourceQuotaColumns: readonly Column[] = [
  nameColumn,
  column("Request", (o) => quotaLines(o, false)),
  column("Limit", (o) => quotaLines(o, true)),
  ageColumn,
];

function quotaLines(quota: KubeObject, limits: boolean): string {
  const { hard, used } = statusOf(quota);
  return Object.keys(asObject(hard))
    .filter((name) => name.startsWith("limits.") === limits)
    .sort()
    .map((name) => `${name}: ${asObject(used)[name] ?? "0"}/${asObject(hard)[name]}`)
    .join(", ");
}

export const runtimeClassColumns: readonly Column[] = [
  nameColumn,
  column("Handler", (o) => o.handler ?? ""),
  ageColumn,
];

export const signingRequestColumns: readonly Column[] = [
  nameColumn,
  ageColumn,
  column("SignerName", (o) => none(specOf(o).signerName)),
  column("Requestor", (o) => specOf(o).username ?? ""),
  column("RequestedDuration", (o) => {
    const seconds = specOf(o).expirationSeconds;
    return seconds === undefined ? "<none>" : formatDuration(Number(seconds) * 1000);
  }),
  column("Condition", signingCondition),
];

function signingCondition(request: KubeObject): string {
  const has = (type: string) => conditionOf(request, type) !== undefined;
  const word = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  const issued = isSet(statusOf(request).certificate) ? ",Issued" : "";
  return `${word}${has("Failed") ? ",Failed" : ""}${issued}`;
}

export const apiServiceColumns: readonly Column[] = [
  nameColumn,
  column("Service", (o) => {
    const { service } = specOf(o);
    return isObject(service) ? `${asString(service.namespace)}/${asString(service.name)}` : "Local";
  }),
  column("Available", (o) => {
    const condition = conditionOf(o, "Available");
    if (condition === undefined) return "Unknown";
    const { status, reason } = condition;
    return status === "True" || !isSet(reason) ? status : `${status} (${reason})`;
  }),
  ageColumn,
];
