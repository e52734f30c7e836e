/**
 * Whether a GPU should take work: uncorrected memory errors since the driver was loaded, rows that could not be remapped,
 * pages and rows that wait for a reset, a lost device, one that is given to virtual machines. Errors of earlier boots (aggregate) have been dealt with and do not count.
 * Where the fields stand differs between driver generations; all places are read. Pure.
 */
import { parseCount } from "./quantity.ts";
import { elementAt, rawTextAt, textAt } from "./xml-tree.ts";

type Path = readonly string[];

const uncorrectedErrorCounts: readonly Path[] = [
  // Since Ampere, and Turing of late; the SRAM count was split in two by v13.
  ["ecc_errors", "volatile", "sram_uncorrectable"],
  ["ecc_errors", "volatile", "sram_uncorrectable_parity"],
  ["ecc_errors", "volatile", "sram_uncorrectable_secded"],
  ["ecc_errors", "volatile", "dram_uncorrectable"],
  // Before.
  ["ecc_errors", "volatile", "double_bit", "total"],
];

const alarms: readonly { readonly path: Path; readonly fault: string }[] = [
  { path: ["remapped_rows", "remapped_row_failure"], fault: "a memory row could not be remapped" },
  { path: ["remapped_rows", "remapped_row_pending"], fault: "a memory row waits to be remapped by a reset" },
  { path: ["retired_pages", "pending_retirement"], fault: "a memory page waits to be retired by a reset" },
  { path: ["ecc_errors", "unrepairable_memory"], fault: "memory is unrepairable" },
  { path: ["ecc_errors", "aggregate", "sram_threshold_exceeded"], fault: "too many SRAM errors" },
  { path: ["gpu_reset_status", "reset_required"], fault: "a reset is required" },
];

export function checkFaults(gpu: unknown): string[] {
  return [
    ...listMemoryErrors(gpu),
    ...listAlarms(gpu),
    ...listRecovery(gpu),
    ...listVirtualization(gpu),
    ...listLoss(gpu),
  ];
}

function listMemoryErrors(gpu: unknown): string[] {
  const nonZero = uncorrectedErrorCounts.filter((path) => {
    const text = textAt(gpu, ...path);
    // A count too long to be true is no clean bill of health.
    return text !== undefined && parseCount(text) !== 0;
  });
  return nonZero.length === 0 ? [] : ["uncorrected memory errors"];
}

function listAlarms(gpu: unknown): string[] {
  return alarms.filter(({ path }) => textAt(gpu, ...path) === "Yes").map(({ fault }) => fault);
}

/** v13 names what would help: None, Reset, Reboot, Drain P2P, Drain and Reset. */
function listRecovery(gpu: unknown): string[] {
  const action = textAt(gpu, "gpu_recovery_action");
  return action === undefined ? [] : [`recovery action: ${action.slice(0, 40)}`];
}

/** A host whose GPU is cut up for virtual machines computes nothing itself; a guest without a licence is slowed down. */
function listVirtualization(gpu: unknown): string[] {
  const mode = textAt(gpu, "gpu_virtualization_mode", "virtualization_mode") ?? "";
  if (/^host vgpu$/i.test(mode)) return ["the GPU is given to virtual machines (Host VGPU)"];
  const licence = textAt(gpu, "vgpu_software_licensed_product", "license_status") ?? "";
  return /^vgpu$/i.test(mode) && /^unlicensed/i.test(licence)
    ? ["the virtual GPU has no licence and is slowed down"]
    : [];
}

const lost = /GPU is lost|Unknown Error|ERR!/i;

/** A GPU that fell off the bus, or is about to, answers with an error where it always had a number. */
function listLoss(gpu: unknown): string[] {
  const sensors = [
    rawTextAt(gpu, "temperature", "gpu_temp"),
    rawTextAt(gpu, "fb_memory_usage", "used"),
    rawTextAt(gpu, "performance_state"),
    elementAt(gpu, "fan_speed"),
  ];
  return sensors.some((value) => typeof value === "string" && lost.test(value)) ? ["the driver has lost the GPU"] : [];
}
