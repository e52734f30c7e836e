/**
 * A whole `nvidia-smi -q -x` document of simulated GPUs, in the schema of its driver generation. It says of itself that it
 * is simulated: in a comment for people and in an element that the agent reads. Pure.
 */
import type { SimulatedGpu } from "../simulated-gpu.ts";
import { buildGpuV11 } from "./gpu-v11.ts";
import { buildGpuV12 } from "./gpu-v12.ts";
import { buildGpuV13 } from "./gpu-v13.ts";
import { writeElement, writeElements } from "./xml.ts";

export interface Driver {
  /** Of the document's schema. */
  readonly generation: 11 | 12 | 13;
  readonly version: string;
  readonly cuda: string;
}

/** The agent looks for this element; see its parser. */
export const simulatedMarker = "inferium_simulated";

const builders = { 11: buildGpuV11, 12: buildGpuV12, 13: buildGpuV13 } as const;

export function writeSmiDocument(driver: Driver, gpus: readonly SimulatedGpu[]): string {
  const build = builders[driver.generation];
  const elements = gpus.map((gpu) => writeElement("gpu", build(gpu, driver.version), 1, ` id="${gpu.busId}"`));
  const head = {
    timestamp: "Mon Jan  5 09:30:00 2026",
    driver_version: driver.version,
    cuda_version: driver.cuda,
    [simulatedMarker]: "true",
    attached_gpus: String(gpus.length),
  };
  return [
    '<?xml version="1.0" ?>\n',
    `<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v${driver.generation}.dtd">\n`,
    "<!-- Simulated: played back by Inferium's embedded control plane. No such GPU is in this machine. -->\n",
    "<nvidia_smi_log>\n",
    writeElements(head, 1),
    ...elements,
    "</nvidia_smi_log>\n",
  ].join("");
}

/** What `nvidia-smi -L` prints. */
export function writeSmiList(gpus: readonly SimulatedGpu[]): string {
  return gpus.map(({ index, model, uuid }) => `GPU ${index}: ${model.product} (UUID: ${uuid})\n`).join("");
}
