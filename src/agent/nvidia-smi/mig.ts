/** MIG: the instances of a GPU, each with its own memory, and their profile names. Pure. */
import { parseCount, parseMemoryMiB } from "./quantity.ts";
import type { MigInstance } from "./reading.ts";
import { elementAt, elementsOf, textAt } from "./xml-tree.ts";

export function isMigEnabled(gpu: unknown): boolean {
  return textAt(gpu, "mig_mode", "current_mig") === "Enabled";
}

interface Device {
  readonly index: number;
  readonly gpuInstanceId: number;
  readonly memoryMiB: number;
  readonly multiprocessors: number | undefined;
}

/** The instances, or a sentence that says why their figures cannot be true. */
export function readMigInstances(gpu: unknown, memoryMiB: number): readonly MigInstance[] | string {
  const devices: Device[] = [];
  for (const element of elementsOf(elementAt(gpu, "mig_devices"), "mig_device")) {
    const device = readDevice(element);
    if (device === undefined) return "a MIG device has no index, instance or memory";
    devices.push(device);
  }
  const memoryOf = new Map(devices.map((device) => [device.gpuInstanceId, device.memoryMiB]));
  const totalMiB = [...memoryOf.values()].reduce((sum, instanceMiB) => sum + instanceMiB, 0);
  if (totalMiB > memoryMiB) return `MIG instances have ${totalMiB} MiB together on a GPU of ${memoryMiB} MiB`;
  if (new Set(devices.map(({ index }) => index)).size < devices.length) return "two MIG devices have one index";
  const architecture = textAt(gpu, "product_architecture");
  return devices.map((device) => describeInstance(device, devices, architecture));
}

function readDevice(element: unknown): Device | undefined {
  const index = parseCount(textAt(element, "index"));
  const gpuInstanceId = parseCount(textAt(element, "gpu_instance_id"));
  const memoryMiB = parseMemoryMiB(textAt(element, "fb_memory_usage", "total"));
  const multiprocessors = parseCount(textAt(element, "device_attributes", "shared", "multiprocessor_count"));
  if (index === undefined || gpuInstanceId === undefined || memoryMiB === undefined) return undefined;
  return { index, gpuInstanceId, memoryMiB, multiprocessors };
}

function describeInstance(device: Device, all: readonly Device[], architecture: string | undefined): MigInstance {
  const sharers = all.filter(({ gpuInstanceId }) => gpuInstanceId === device.gpuInstanceId).length;
  return {
    index: device.index,
    gpuInstanceId: device.gpuInstanceId,
    memoryMiB: Math.floor(device.memoryMiB / sharers),
    // With several compute instances in one GPU instance the name also counts those (1c.3g.20gb).
    profile: sharers > 1 ? undefined : nameProfile(device, architecture),
  };
}

/** Multiprocessors of each GPU-instance size, by architecture; the document does not say the profile's name. */
const slicesByMultiprocessors: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  Ampere: { 14: 1, 28: 2, 42: 3, 56: 4, 98: 7 },
  Hopper: { 16: 1, 32: 2, 60: 3, 64: 4, 132: 7 },
};

/** NVIDIA names an instance after its memory rounded up to whole GiB: 19,968 MiB is `20gb`. */
function nameProfile(device: Device, architecture: string | undefined): string | undefined {
  const bySize = slicesByMultiprocessors[architecture ?? ""];
  const slices = device.multiprocessors === undefined ? undefined : bySize?.[device.multiprocessors];
  return slices === undefined ? undefined : `${slices}g.${Math.ceil(device.memoryMiB / 1024)}gb`;
}
