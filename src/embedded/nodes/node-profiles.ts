/**
 * The simulated nodes of an embedded run: GPU nodes of all three tiers, CPU-only nodes for validators, and one for the
 * control plane's own pods. Labels and capacity are those that GPU feature discovery and the device plugin would set.
 * Every one is labelled simulated, and so is every document. Pure.
 */
import { labels } from "../../api/v1alpha1/labels.ts";
import { a100Sxm80, type GpuModel, l4, p4, rtx4070 } from "./gpu-model.ts";
import { createGpus } from "./simulated-gpu.ts";
import { type Driver, writeSmiDocument, writeSmiList } from "./smi/document.ts";

/** A simulated node, as the process kubelet registers it. */
export interface NodeProfile {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly capacity: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  /** What its `nvidia-smi -q -x` prints; left out on a node without GPUs. */
  readonly nvidiaSmiDocument?: string;
  /** What its `nvidia-smi -L` prints. */
  readonly nvidiaSmiList?: string;
}

export interface NodeTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}

const v11: Driver = { generation: 11, version: "470.256.02", cuda: "11.4" };
const v12: Driver = { generation: 12, version: "535.183.06", cuda: "12.2" };
const v13: Driver = { generation: 13, version: "580.65.06", cuda: "13.0" };

export const nodeProfiles: readonly NodeProfile[] = Object.freeze([
  buildGpuNode({ name: "gpu-high-a100", zone: "a", cpus: 96, memoryGi: 1_024, model: a100Sxm80, gpus: 4, driver: v12 }),
  buildGpuNode({ name: "gpu-high-b", zone: "b", cpus: 96, memoryGi: 1_024, model: a100Sxm80, gpus: 4, driver: v13 }),
  buildGpuNode({ name: "gpu-mid-l4", zone: "b", cpus: 48, memoryGi: 192, model: l4, gpus: 2, driver: v13 }),
  buildGpuNode({ name: "gpu-mid-rtx", zone: "c", cpus: 16, memoryGi: 64, model: rtx4070, gpus: 1, driver: v13 }),
  buildGpuNode({ name: "gpu-low-p4", zone: "c", cpus: 8, memoryGi: 32, model: p4, gpus: 1, driver: v11 }),
  buildCpuNode({ name: "cpu-low", zone: "b", cpus: 16, memoryGi: 64 }),
  buildCpuNode({ name: "cpu-validator-1", zone: "a", cpus: 16, memoryGi: 64 }),
  buildCpuNode({ name: "cpu-validator-2", zone: "b", cpus: 16, memoryGi: 64 }),
  buildCpuNode({ name: "cpu-validator-3", zone: "c", cpus: 16, memoryGi: 64 }),
  buildCpuNode({ name: "cpu-validator-lazy", zone: "a", cpus: 16, memoryGi: 64 }),
  buildCpuNode({ name: "control", zone: "a", cpus: 8, memoryGi: 32 }),
]);

export interface CpuNodePlan {
  readonly name: string;
  readonly zone: string;
  readonly cpus: number;
  readonly memoryGi: number;
}

export interface GpuNodePlan extends CpuNodePlan {
  readonly model: GpuModel;
  readonly gpus: number;
  readonly driver: Driver;
}

export function buildCpuNode({ name, zone, cpus, memoryGi }: CpuNodePlan): NodeProfile {
  return {
    name,
    labels: {
      "kubernetes.io/arch": "amd64",
      "kubernetes.io/os": "linux",
      "kubernetes.io/hostname": name,
      "topology.kubernetes.io/region": "embedded",
      "topology.kubernetes.io/zone": `embedded-${zone}`,
      [labels.simulated]: "true",
    },
    annotations: { "inferium.io/simulation": "No such machine exists: its pods run as processes of the host." },
    capacity: { cpu: String(cpus), memory: `${memoryGi}Gi`, "ephemeral-storage": "100Gi", pods: "110" },
    taints: [],
  };
}

export function buildGpuNode(plan: GpuNodePlan): NodeProfile {
  const node = buildCpuNode(plan);
  const gpus = createGpus(plan.name, plan.model, plan.gpus);
  return {
    ...node,
    labels: { ...node.labels, ...buildDiscoveryLabels(plan) },
    annotations: {
      ...node.annotations,
      "inferium.io/simulated-hardware": `${plan.gpus}x ${plan.model.product}; its nvidia-smi plays a document back.`,
    },
    capacity: { ...node.capacity, "nvidia.com/gpu": String(plan.gpus) },
    nvidiaSmiDocument: writeSmiDocument(plan.driver, gpus),
    nvidiaSmiList: writeSmiList(gpus),
  };
}

/** As GPU feature discovery sets them. */
function buildDiscoveryLabels({ model, gpus, driver }: GpuNodePlan): Record<string, string> {
  const [driverMajor = "", driverMinor = "", driverRevision = ""] = driver.version.split(".");
  const [cudaMajor = "", cudaMinor = ""] = driver.cuda.split(".");
  const [computeMajor = "", computeMinor = ""] = model.computeCapability.split(".");
  const values = {
    "gpu.present": "true",
    "gpu.product": model.product.replaceAll(" ", "-"),
    "gpu.family": model.architecture.toLowerCase().replaceAll(" ", "-"),
    "gpu.memory": String(model.memoryMiB),
    "gpu.count": String(gpus),
    "gpu.replicas": "1",
    "gpu.sharing-strategy": "none",
    "gpu.compute.major": computeMajor,
    "gpu.compute.minor": computeMinor,
    "mig.capable": String(model.migCapable),
    "mig.strategy": "single",
    "cuda.driver-version.full": driver.version,
    "cuda.driver-version.major": driverMajor,
    "cuda.driver-version.minor": driverMinor,
    "cuda.driver-version.revision": driverRevision,
    "cuda.runtime-version.full": driver.cuda,
    "cuda.runtime-version.major": cudaMajor,
    "cuda.runtime-version.minor": cudaMinor,
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`nvidia.com/${name}`, value]));
}
