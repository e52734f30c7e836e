/**
 * What others say of the node's GPUs: its capacity, from the device plugin, and the labels of GPU feature discovery. The
 * agent's second source beside nvidia-smi; its own labels are never among them. Pure.
 */
import type { Node } from "../kube/core-resources.ts";

export interface NodeFacts {
  /** Units of `nvidia.com/*` resources; 0 where there are none, undefined where a number cannot be read. */
  readonly capacityUnits: number | undefined;
  readonly discovery: DiscoveryLabels;
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

export function readNodeFacts(node: Node): NodeFacts {
  return {
    capacityUnits: sumUnits(node.status?.capacity ?? {}),
    discovery: readDiscoveryLabels(node.metadata.labels ?? {}),
  };
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

/** Up to a million: a greater count, such as 18446744073709551615, is not a number of anything. */
function parseWhole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,7}$/.test(text) ? Number(text) : undefined;
}
