/**
 * One `<gpu>` element into numbers, or into quarantine: a value that cannot be true (a count that underflowed, more memory
 * in use than there is) discredits the whole GPU, since nothing tells which of its values are right. Pure.
 */
import { checkFaults } from "./faults.ts";
import { isMigEnabled, readMigInstances } from "./mig.ts";
import { parseMemoryMiB, parseQuantity } from "./quantity.ts";
import type { GpuReading, QuarantinedGpu } from "./reading.ts";
import { rawTextAt, textAt } from "./xml-tree.ts";

/** No GPU has a quarter of this. */
const maxMemoryMiB = 4 * 1024 * 1024;
const uuidPattern = /^GPU-[0-9a-zA-Z-]{8,60}$/;
// As a product is printed: no control characters, and short enough for the API's field.
const productPattern = /^[\x20-\x7e]{1,128}$/;

interface Identity {
  readonly uuid: string;
  readonly product: string;
}

interface Memory {
  readonly memoryMiB: number;
  readonly memoryUsedMiB: number | undefined;
}

export function readGpu(gpu: unknown, index: number): GpuReading | QuarantinedGpu {
  const quarantine = (reason: string): QuarantinedGpu => ({ index, uuid: readUuid(gpu), reason });
  const identity = readIdentity(gpu);
  if (typeof identity === "string") return quarantine(identity);
  const memory = readMemory(gpu);
  if (typeof memory === "string") return quarantine(memory);
  const migEnabled = isMigEnabled(gpu);
  const migInstances = migEnabled ? readMigInstances(gpu, memory.memoryMiB) : [];
  if (typeof migInstances === "string") return quarantine(migInstances);
  return { ...identity, ...memory, ...readSensors(gpu), migEnabled, migInstances, ...readRest(gpu) };
}

export function isQuarantined(gpu: GpuReading | QuarantinedGpu): gpu is QuarantinedGpu {
  return "reason" in gpu;
}

function readUuid(gpu: unknown): string | undefined {
  const uuid = textAt(gpu, "uuid");
  return uuid !== undefined && uuidPattern.test(uuid) ? uuid : undefined;
}

function readIdentity(gpu: unknown): Identity | string {
  const uuid = readUuid(gpu);
  if (uuid === undefined) return `its UUID is "${(rawTextAt(gpu, "uuid") ?? "").slice(0, 40)}"`;
  const product = textAt(gpu, "product_name");
  if (product === undefined || !productPattern.test(product)) return "its product name is missing or unprintable";
  return { uuid, product };
}

function readMemory(gpu: unknown): Memory | string {
  const shown = (name: string) => `${name} memory is "${(rawTextAt(gpu, "fb_memory_usage", name) ?? "").slice(0, 40)}"`;
  const memoryMiB = parseMemoryMiB(textAt(gpu, "fb_memory_usage", "total"));
  if (memoryMiB === undefined || memoryMiB === 0 || memoryMiB > maxMemoryMiB) return shown("total");
  const usedText = textAt(gpu, "fb_memory_usage", "used");
  const memoryUsedMiB = parseMemoryMiB(usedText);
  if (usedText !== undefined && memoryUsedMiB === undefined) return shown("used");
  if ((memoryUsedMiB ?? 0) > memoryMiB) return `${memoryUsedMiB} MiB are in use of ${memoryMiB} MiB`;
  return { memoryMiB, memoryUsedMiB };
}

/** Sensors tell nothing about capability, so a value out of range is dropped and not held against the GPU. */
function readSensors(gpu: unknown) {
  const power = (field: string) => parseQuantity(textAt(gpu, ...field.split("/")), "W");
  const utilization = parseQuantity(textAt(gpu, "utilization", "gpu_util"), "%");
  return {
    utilization: utilization !== undefined && utilization <= 100 ? utilization : undefined,
    temperatureC: parseQuantity(textAt(gpu, "temperature", "gpu_temp"), "C"),
    // v13 has two draws, v12 one, v11 has it under another parent.
    powerW:
      power("gpu_power_readings/instant_power_draw") ??
      power("gpu_power_readings/power_draw") ??
      power("power_readings/power_draw"),
    powerLimitW: power("gpu_power_readings/current_power_limit") ?? power("power_readings/power_limit"),
  };
}

const slowdowns = ["hw_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown", "sw_thermal_slowdown"] as const;

/** Throttle reasons before driver 535, event reasons since. Power caps by software come and go all the time and are no news. */
function readSlowdowns(gpu: unknown): string[] {
  return slowdowns.filter((reason) =>
    ["clocks_event_reason", "clocks_throttle_reason"].some(
      (prefix) => textAt(gpu, `${prefix}s`, `${prefix}_${reason}`) === "Active",
    ),
  );
}

function readRest(gpu: unknown) {
  return {
    slowdowns: readSlowdowns(gpu),
    architecture: textAt(gpu, "product_architecture")?.slice(0, 64),
    pciBusId: (textAt(gpu, "pci", "pci_bus_id") ?? textAt(gpu, "$", "id"))?.slice(0, 32),
    faults: checkFaults(gpu),
  };
}
