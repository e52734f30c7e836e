/**
 * What others say of the node's GPUs: its capacity, from the device plugin, and the labels of GPU feature discovery. The
 * agent's second source beside nvidia-smi; its own labels are never among them. Pure.
 */
import type { Node } from "../kube/core-resources.ts";
import { type OtherGpus, readOtherGpus } from "./other-vendors.ts";
import { parseWhole } from "./parse-whole.ts";
import type { ResourceSlice } from "./resource-slices.ts";
import { readSliceDevices, type SliceDevice } from "./slice-devices.ts";

export interface NodeFacts {
  /** Units of `nvidia.com/*` resources; 0 where there are none, undefined where a number cannot be read. */
  readonly capacityUnits: number | undefined;
  readonly discovery: DiscoveryLabels;
  /** What a DRA driver publishes of the node's GPUs; empty where there is none. */
  readonly devices: readonly SliceDevice[];
  /** GPUs of AMD or Intel, which nvidia-smi does not know. */
  readonly otherGpus: OtherGpus | undefined;
  /** What a problem detector says against the node's GPUs: Xid errors stand in no document of nvidia-smi. */
  readonly faults: readonly string[];
}

/** Labels under `nvidia.com/`; undefined for each one that is absent. */
export interface DiscoveryLabels {
  readonly product: string | undefined;
  readonly count: number | undefined;
  readonly memoryMiB: number | undefined;
  readonly replicas: number | undefined;
  readonly migStrategy: string | undefined;
  readonly computeCapability: string | undefined;
}

const resourcePattern = /^nvidia\.com\/(gpu|mig-[0-9a-z.+]+)(\.shared)?$/;

/** @param slices those of this node; none where dynamic resource allocation is not used */
export function readNodeFacts(node: Node, slices: readonly ResourceSlice[] = []): NodeFacts {
  const labels = node.metadata.labels ?? {};
  const capacity = node.status?.capacity ?? {};
  return {
    capacityUnits: sumUnits(capacity),
    discovery: readDiscoveryLabels(labels),
    devices: readSliceDevices(slices),
    otherGpus: readOtherGpus(labels, capacity),
    faults: readFaults(node),
  };
}

/** Node problem detectors name such conditions after the driver's Xid errors: XidError, GpuXidCriticalError and their like. */
function readFaults({ status }: Node): string[] {
  const held = (status?.conditions ?? []).filter((one) => /xid/i.test(one.type) && one.status === "True");
  return held.map(
    ({ type, reason }) => `the node's condition ${type.slice(0, 60)} holds (${(reason ?? "").slice(0, 60)})`,
  );
}

function sumUnits(capacity: Readonly<Record<string, string>>): number | undefined {
  const amounts = Object.entries(capacity).filter(([name]) => resourcePattern.test(name));
  const units = amounts.map(([, amount]) => parseWhole(amount));
  return units.reduce((sum, amount) => (sum === undefined || amount === undefined ? undefined : sum + amount), 0);
}

function readDiscoveryLabels(labels: Readonly<Record<string, string>>): DiscoveryLabels {
  const value = (name: string) => labels[`nvidia.com/${name}`];
  const major = parseWhole(value("gpu.compute.major"));
  const minor = parseWhole(value("gpu.compute.minor"));
  return {
    product: value("gpu.product"),
    count: parseWhole(value("gpu.count")),
    memoryMiB: parseWhole(value("gpu.memory")),
    replicas: parseWhole(value("gpu.replicas")),
    migStrategy: value("mig.strategy"),
    computeCapability: major === undefined || minor === undefined ? undefined : `${major}.${minor}`,
  };
}
