import { readNodeFacts } from "../../../src/agent/node-facts.ts";
import type { GpuReading, HardwareReading } from "../../../src/agent/nvidia-smi/reading.ts";

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
}

export function someFacts({ labels = {}, capacity = {} }: NodeParts = {}) {
  const prefix = (values: Record<string, string>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`nvidia.com/${name}`, value]));
  return readNodeFacts({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n", labels: prefix(labels) },
    status: { capacity: { cpu: "8", ...prefix(capacity) } },
  });
}
