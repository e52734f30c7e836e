/** One simulated GPU: a model with an identity that is the same in every run and in no other GPU. Pure. */
import { sha256 } from "../../base/digest.ts";
import type { GpuModel } from "./gpu-model.ts";

export interface SimulatedGpu {
  readonly model: GpuModel;
  readonly index: number;
  readonly uuid: string;
  readonly serial: string;
  /** In nvidia-smi's form: domain of eight digits. */
  readonly busId: string;
  readonly temperatureC: number;
}

export function createGpus(node: string, model: GpuModel, count: number): SimulatedGpu[] {
  return Array.from({ length: count }, (_, index) => createGpu(node, model, index));
}

function createGpu(node: string, model: GpuModel, index: number): SimulatedGpu {
  const hex = sha256(`simulated GPU ${index} of node ${node}`).slice("sha256:".length);
  // One bus for each GPU, from 0x07 on in steps, as on a machine with PCIe switches.
  const bus = (7 + index * 8).toString(16).toUpperCase().padStart(2, "0");
  return {
    model,
    index,
    uuid: `GPU-${[hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-")}`,
    serial: String(1_320_000_000_000 + Number.parseInt(hex.slice(32, 40), 16)),
    busId: `00000000:${bus}:00.0`,
    temperatureC: 29 + (Number.parseInt(hex.slice(40, 42), 16) % 8),
  };
}
