/** GPUs and MIG devices out of the ResourceSlices of NVIDIA's DRA driver. Trusts nothing of their shape. Pure. */
import type { ResourceDevice, ResourceSlice } from "./resource-slices.ts";

export interface SliceDevice {
  readonly kind: "Gpu" | "Mig";
  /** Of the GPU, for a MIG device that of its parent. */
  readonly gpuUuid: string;
  readonly product: string | undefined;
  readonly memoryMiB: number | undefined;
  /** Such as "9.0". */
  readonly computeCapability: string | undefined;
}

const driver = "gpu.nvidia.com";
const uuidPattern = /^GPU-[0-9a-zA-Z-]{8,60}$/;

export function readSliceDevices(slices: readonly ResourceSlice[]): SliceDevice[] {
  const own = slices.filter(({ spec }) => spec?.driver === driver);
  return own.flatMap(({ spec }) => (spec?.devices ?? []).flatMap(readDevice));
}

function readDevice({ attributes = {}, capacity = {} }: ResourceDevice): SliceDevice[] {
  const text = (name: string) => attributes[name]?.string;
  const isMig = text("type") === "mig";
  const gpuUuid = isMig ? text("parentUUID") : text("uuid");
  if (gpuUuid === undefined || !uuidPattern.test(gpuUuid)) return [];
  const [, computeCapability] = /^(\d{1,3}\.\d{1,2})\.\d+$/.exec(attributes.cudaComputeCapability?.version ?? "") ?? [];
  const memoryMiB = readMiB(capacity.memory?.value);
  return [{ kind: isMig ? "Mig" : "Gpu", gpuUuid, product: text("productName"), memoryMiB, computeCapability }];
}

function readMiB(text: string | undefined): number | undefined {
  const [, digits, unit = ""] = /^(\d{1,12})(Ki|Mi|Gi)?$/.exec(text ?? "") ?? [];
  if (digits === undefined) return undefined;
  const bytesPer: Readonly<Record<string, number>> = { "": 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 };
  return Math.floor((Number(digits) * (bytesPer[unit] ?? 1)) / 1024 ** 2);
}
