/**
 * A whole `nvidia-smi -q -x` document into a reading. Understands the schemas v11, v12 and v13 (drivers 450 to 595 and what
 * keeps their fields). Throws only NvidiaSmiFailure, whatever it is given. Pure.
 */
import { NvidiaSmiFailure } from "./failure.ts";
import { parseCount } from "./quantity.ts";
import { isQuarantined, readGpu } from "./read-gpu.ts";
import type { GpuReading, HardwareReading, QuarantinedGpu } from "./reading.ts";
import { elementAt, elementsOf, parseXml, textAt } from "./xml-tree.ts";

/** Element by which a document that is played back announces itself; see the embedded nodes. */
export const simulatedMarker = "inferium_simulated";

/** More than any machine holds, and what the API's list of GPUs takes. */
const maxGpus = 64;

/** @throws NvidiaSmiFailure Garbled, NoDevices */
export function parseNvidiaSmi(xml: string): HardwareReading {
  return readDocument(parseXml(xml));
}

/** @param tree the document as a tree of `parseXml`'s shape, from that function or from the package */
export function readDocument(tree: unknown): HardwareReading {
  const root = elementAt(tree, "nvidia_smi_log");
  if (root === undefined) throw new NvidiaSmiFailure("Garbled", "nvidia-smi printed XML without <nvidia_smi_log>.");
  const elements = elementsOf(root, "gpu");
  const attachedGpus = checkCount(root, elements.length);
  const readings = quarantineTwins(elements.map(readGpu));
  return {
    attachedGpus,
    driverVersion: textAt(root, "driver_version")?.slice(0, 64),
    cudaVersion: textAt(root, "cuda_version")?.slice(0, 64),
    gpus: readings.filter((gpu): gpu is GpuReading => !isQuarantined(gpu)),
    quarantined: readings.filter(isQuarantined),
    simulated: textAt(root, simulatedMarker) === "true",
  };
}

/** The count that the document states; it may describe fewer, as with `-i`, but never more than machines hold. */
function checkCount(root: unknown, described: number): number {
  const stated = textAt(root, "attached_gpus");
  const count = stated === undefined ? described : parseCount(stated);
  if (count === 0 && described === 0) throw new NvidiaSmiFailure("NoDevices", "nvidia-smi reports no attached GPU.");
  if (count === undefined || Math.max(count, described) > maxGpus || count < described || described === 0) {
    const said = `nvidia-smi reports ${(stated ?? "no count of").slice(0, 40)} attached GPUs and describes ${described}`;
    throw new NvidiaSmiFailure("Garbled", `${said}; expected as many, and at most ${maxGpus}.`);
  }
  return count;
}

/** A UUID is one GPU: of two that claim it neither is believed, since nothing tells which one is real. */
function quarantineTwins(readings: readonly (GpuReading | QuarantinedGpu)[]): (GpuReading | QuarantinedGpu)[] {
  return readings.map((gpu, index) => {
    if (isQuarantined(gpu)) return gpu;
    const twins = readings.filter((other) => other.uuid === gpu.uuid).length;
    return twins === 1 ? gpu : { index, uuid: gpu.uuid, reason: `its UUID is reported ${twins} times` };
  });
}
