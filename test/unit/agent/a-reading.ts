import { readNodeFacts } from "../../../src/agent/node-facts.ts";
import type { GpuReading, HardwareReading } from "../../../src/agent/nvidia-smi/reading.ts";
import type { ResourceSlice } from "../../../src/agent/resource-slices.ts";
import type { NodeCondition } from "../../../src/kube/core-resources.ts";

export function aGpuReading(parts: Partial<GpuReading> = {}): GpuReading {
  return {
    uuid: "GPU-0000-1111",
    product: "NVIDIA A100-SXM4-80GB",
    architecture: "Ampere",
    pciBusId: undefined,
    memoryMiB: 81_920,
    memoryUsedMiB: 4,
    utilization: 0,
    temperatureC: 30,
    powerW: 60,
    powerLimitW: 400,
    migEnabled: false,
    migInstances: [],
    slowdowns: [],
    faults: [],
    ...parts,
  };
}

export function aReading(parts: Partial<HardwareReading> = {}): HardwareReading {
  const gpus = parts.gpus ?? [aGpuReading()];
  return {
    attachedGpus: gpus.length + (parts.quarantined?.length ?? 0),
    driverVersion: "535.183.06",
    cudaVersion: "12.2",
    gpus,
    quarantined: [],
    simulated: false,
    ...parts,
  };
}

export interface NodeParts {
  /** Under nvidia.com/. */
  labels?: Record<string, string>;
  capacity?: Record<string, string>;
  /** As they are. */
  otherLabels?: Record<string, string>;
  otherCapacity?: Record<string, string>;
  conditions?: NodeCondition[];
  slices?: ResourceSlice[];
}

export interface SliceParts {
  uuid: string;
  product?: string;
  memory?: string;
  type?: "gpu" | "mig";
}

/** As NVIDIA's DRA driver publishes a node's devices. */
export function aSlice(devices: readonly SliceParts[]): ResourceSlice {
  return {
    apiVersion: "resource.k8s.io/v1",
    kind: "ResourceSlice",
    metadata: { name: "n-gpu.nvidia.com-1" },
    spec: {
      driver: "gpu.nvidia.com",
      nodeName: "n",
      devices: devices.map(({ uuid, product = "NVIDIA H100 80GB HBM3", memory = "81559Mi", type = "gpu" }, index) => ({
        name: `${type}-${index}`,
        attributes: {
          type: { string: type },
          productName: { string: product },
          cudaComputeCapability: { version: "9.0.0" },
          [type === "mig" ? "parentUUID" : "uuid"]: { string: uuid },
        },
        capacity: { memory: { value: memory } },
      })),
    },
  };
}

export function someFacts({ labels = {}, capacity = {}, ...rest }: NodeParts = {}) {
  const prefix = (values: Record<string, string>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`nvidia.com/${name}`, value]));
  return readNodeFacts(
    {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "n", labels: { ...prefix(labels), ...rest.otherLabels } },
      status: {
        capacity: { cpu: "8", ...prefix(capacity), ...rest.otherCapacity },
        conditions: rest.conditions ?? [],
      },
    },
    rest.slices,
  );
}
