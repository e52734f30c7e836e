/** Builds the Node object of a process kubelet: what it tells a cluster about itself. Pure. */
import { arch, cpus, release, totalmem } from "node:os";
import type { Node, ResourceList, Taint } from "./core-types.ts";
import type { Condition } from "./status-types.ts";

export const processKubeletLabel = "inferium.io/process-kubelet";
/** The address of every process kubelet and of its pods: they share the host's network. */
export const hostAddress = "127.0.0.1";

export interface NodeTemplate {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  /** Adds to and overrides what the machine has (cpu, memory) and 110 pods. */
  readonly capacity?: ResourceList;
}

export interface NodeIdentity {
  readonly nodeName: string;
  readonly template: NodeTemplate;
  /** Of the HTTPS endpoint for logs. */
  readonly port: number;
  readonly kubeletVersion: string;
  /** Limits of containers that this host enforces. */
  readonly limits: readonly string[];
}

/** Says which limits of containers hold on this node: "cpu,memory", or "none". */
export const enforcedLimitsAnnotation = "inferium.io/enforced-limits";

export function computeCapacity(template: NodeTemplate): ResourceList {
  const machine = { cpu: String(cpus().length), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: "110" };
  return { ...machine, ...template.capacity };
}

export function buildNode(identity: NodeIdentity): Node {
  const { nodeName, template } = identity;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: nodeName,
      labels: {
        "kubernetes.io/hostname": nodeName,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": formatArchitecture(),
        ...template.labels,
        [processKubeletLabel]: "true",
      },
      annotations: { ...template.annotations, [enforcedLimitsAnnotation]: identity.limits.join(",") || "none" },
    },
    spec: template.taints === undefined ? {} : { taints: template.taints },
  };
}

/** The part of the status that does not change while the kubelet runs. */
export function buildNodeStatus(identity: NodeIdentity): object {
  const capacity = computeCapacity(identity.template);
  return {
    capacity,
    allocatable: capacity,
    addresses: [
      { type: "InternalIP", address: hostAddress },
      // API servers dial the Hostname first, and no resolver knows the name of a node like this.
      { type: "Hostname", address: hostAddress },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: identity.port } },
    nodeInfo: {
      machineID: identity.nodeName,
      systemUUID: identity.nodeName,
      bootID: identity.nodeName,
      kernelVersion: release(),
      osImage: "process kubelet (pods are local processes)",
      containerRuntimeVersion: "process://1.0.0",
      kubeletVersion: identity.kubeletVersion,
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: formatArchitecture(),
    },
  };
}

export interface Readiness {
  readonly isReady: boolean;
  readonly reason: string;
  readonly message: string;
}

export const readyNow: Readiness = {
  isReady: true,
  reason: "KubeletReady",
  message: "the process kubelet is posting ready status",
};
export const stoppedNow: Readiness = {
  isReady: false,
  reason: "KubeletStopped",
  message: "the process kubelet was stopped",
};

/** Conditions that others own are kept; a transition time changes with its status alone. */
export function buildNodeConditions(
  existing: readonly Condition[],
  readiness: Readiness,
  now: string,
): readonly Condition[] {
  const pressure = (type: string, reason: string, message: string) => ({ type, status: "False", reason, message });
  const mine = [
    pressure("MemoryPressure", "KubeletHasSufficientMemory", "memory pressure is not measured by a process kubelet"),
    pressure("DiskPressure", "KubeletHasNoDiskPressure", "disk pressure is not measured by a process kubelet"),
    pressure("PIDPressure", "KubeletHasSufficientPID", "PID pressure is not measured by a process kubelet"),
    {
      type: "Ready",
      status: readiness.isReady ? "True" : "False",
      reason: readiness.reason,
      message: readiness.message,
    },
  ];
  const foreign = existing.filter((condition) => !mine.some((one) => one.type === condition.type));
  return [
    ...foreign,
    ...mine.map((condition) => {
      const before = existing.find((one) => one.type === condition.type);
      const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
      return { ...condition, lastHeartbeatTime: now, lastTransitionTime: since ?? now };
    }),
  ];
}

function formatArchitecture(): string {
  const node = arch();
  return node === "x64" ? "amd64" : node;
}
