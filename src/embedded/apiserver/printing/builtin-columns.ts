/** Table columns of the built-in kinds, as the real server prints them. Pure. */
import { asArray, asObject, asString, valueAt } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Column } from "../registry/kind.ts";
import { formatAge } from "./age.ts";
import { ageColumn, nameColumn } from "./common-columns.ts";

type Read = (object: KubeObject, nowMs: number) => unknown;

function column(name: string, value: Read, options: { type?: string; wide?: boolean } = {}): Column {
  const type = options.type ?? "string";
  return { name, type, description: "", priority: options.wide === true ? 1 : 0, value };
}

const none = (value: unknown) => (value === undefined || value === "" ? "<none>" : value);
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
  column("Data", count("data"), { type: "integer" }),
  ageColumn,
];

export const serviceAccountColumns: readonly Column[] = [
  nameColumn,
  column("Secrets", (o) => asArray(o.secrets).length, { type: "integer" }),
  ageColumn,
];

export const nodeColumns: readonly Column[] = [
  nameColumn,
  column("Status", nodeStatus),
  column("Roles", nodeRoles),
  ageColumn,
  column("Version", (o) => valueAt(o.status, ["nodeInfo", "kubeletVersion"]) ?? ""),
  column("Internal-IP", (o) => nodeAddress(o, "InternalIP"), { wide: true }),
  column("External-IP", (o) => nodeAddress(o, "ExternalIP"), { wide: true }),
  column("OS-Image", (o) => unknown(valueAt(o.status, ["nodeInfo", "osImage"])), { wide: true }),
  column("Kernel-Version", (o) => unknown(valueAt(o.status, ["nodeInfo", "kernelVersion"])), { wide: true }),
  column("Container-Runtime", (o) => unknown(valueAt(o.status, ["nodeInfo", "containerRuntimeVersion"])), {
    wide: true,
  }),
];

export function conditionOf(object: KubeObject, type: string) {
  return asArray(statusOf(object).conditions)
    .map(asObject)
    .find((condition) => condition.type === type);
}

function nodeStatus(node: KubeObject): string {
  const ready = conditionOf(node, "Ready");
  const word = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return specOf(node).unschedulable === true ? `${word},SchedulingDisabled` : word;
}

function nodeRoles(node: KubeObject): string {
  const prefix = "node-role.kubernetes.io/";
  const roles = Object.keys(node.metadata.labels ?? {}).filter((key) => key.startsWith(prefix) && key !== prefix);
  return roles.length === 0
    ? "<none>"
    : roles
        .map((key) => key.slice(prefix.length))
        .sort()
        .join(",");
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
  column("Cluster-IP", (o) => none(specOf(o).clusterIP)),
  column("External-IP", (o) => none(asArray(specOf(o).externalIPs).join(",") || asString(specOf(o).externalName))),
  column("Port(s)", servicePorts),
  ageColumn,
  column("Selector", (o) => formatLabels(specOf(o).selector), { wide: true }),
];

function servicePorts(service: KubeObject): string {
  const ports = asArray(specOf(service).ports).map(asObject);
  return ports.length === 0 ? "<none>" : ports.map((port) => `${port.port}/${port.protocol ?? "TCP"}`).join(",");
}

export function formatLabels(labels: unknown): string {
  const pairs = Object.entries(asObject(labels)).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? "<none>" : pairs.sort().join(",");
}

export const eventColumns: readonly Column[] = [
  column("Last Seen", eventTime),
  column("Type", (o) => o.type ?? ""),
  column("Reason", (o) => o.reason ?? ""),
  column(
    "Object",
    (o) => `${asString(asObject(o.involvedObject).kind).toLowerCase()}/${asString(asObject(o.involvedObject).name)}`,
  ),
  column("Subobject", (o) => asObject(o.involvedObject).fieldPath ?? "", { wide: true }),
  column("Source", eventSource, { wide: true }),
  column("Message", (o) => asString(o.message).trim()),
  column("First Seen", (o, now) => formatAge(o.firstTimestamp ?? o.eventTime ?? o.metadata.creationTimestamp, now), {
    wide: true,
  }),
  column("Count", (o) => valueAt(o.series, ["count"]) ?? o.count ?? 1, { wide: true }),
  { ...nameColumn, priority: 1 },
];

function eventTime(event: KubeObject, nowMs: number): string {
  const last = valueAt(event.series, ["lastObservedTime"]) ?? event.lastTimestamp ?? event.eventTime;
  return formatAge(last ?? event.metadata.creationTimestamp, nowMs);
}

function eventSource(event: KubeObject): string {
  const source = asObject(event.source);
  const parts = [asString(source.component) || asString(event.reportingComponent), asString(source.host)];
  return parts.filter((part) => part !== "").join(", ");
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
  column("PreemptionPolicy", (o) => o.preemptionPolicy ?? "PreemptLowerPriority"),
];

export const createdAtColumn: Column = {
  ...column("Created At", (object) => object.metadata.creationTimestamp ?? ""),
  type: "date",
};
export const createdAtColumns: readonly Column[] = [nameColumn, createdAtColumn];

export const roleBindingColumns: readonly Column[] = [
  nameColumn,
  column("Role", (o) => `${asString(asObject(o.roleRef).kind)}/${asString(asObject(o.roleRef).name)}`),
  ageColumn,
];

export const endpointsColumns: readonly Column[] = [nameColumn, column("Endpoints", endpointAddresses), ageColumn];

function endpointAddresses(endpoints: KubeObject): string {
  const pairs = asArray(endpoints.subsets)
    .map(asObject)
    .flatMap((subset) => {
      const ports = asArray(subset.ports).map((port) => asObject(port).port);
      return asArray(subset.addresses).flatMap((address) =>
        ports.map((port) => `${asString(asObject(address).ip)}:${port}`),
      );
    });
  return pairs.length === 0 ? "<none>" : pairs.join(",");
}

export const endpointSliceColumns: readonly Column[] = [
  nameColumn,
  column("AddressType", (o) => o.addressType ?? ""),
  column("Ports", (o) =>
    none(
      asArray(o.ports)
        .map((port) => asObject(port).port)
        .join(","),
    ),
  ),
  column("Endpoints", (o) =>
    none(
      asArray(o.endpoints)
        .flatMap((one) => asArray(asObject(one).addresses))
        .join(","),
    ),
  ),
  ageColumn,
];
