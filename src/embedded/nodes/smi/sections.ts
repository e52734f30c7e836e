/** Sections of a `<gpu>` element that several driver generations share. Pure. */
import type { SimulatedGpu } from "../simulated-gpu.ts";
import type { XmlElements } from "./xml.ts";

export const notAvailable = "N/A";

/** The same value under each name. */
export function all(names: readonly string[], value: string): XmlElements {
  return Object.fromEntries(names.map((name) => [name, value]));
}

export function mig({ model }: SimulatedGpu): XmlElements {
  const mode = model.migCapable ? "Disabled" : notAvailable;
  return { mig_mode: { current_mig: mode, pending_mig: mode }, mig_devices: "None" };
}

export function identity({ serial, uuid }: SimulatedGpu): XmlElements {
  return { serial, uuid };
}

export function board(gpu: SimulatedGpu): XmlElements {
  const bus = Number.parseInt(gpu.busId.slice(9, 11), 16);
  return {
    minor_number: String(gpu.index),
    vbios_version: "92.00.45.00.03",
    multigpu_board: "No",
    board_id: `0x${(bus << 8).toString(16)}`,
  };
}

export function pciAddress({ busId, model }: SimulatedGpu): XmlElements {
  return {
    pci_device_id: model.pciDeviceId,
    pci_bus_id: busId,
    pci_sub_system_id: model.pciSubsystemId,
  };
}

export function bridge(): XmlElements {
  return { bridge_chip_type: notAvailable, bridge_chip_fw: notAvailable };
}

export function linkWidths(): XmlElements {
  return { max_link_width: "16x", current_link_width: "16x" };
}

const reasons = [
  "gpu_idle",
  "applications_clocks_setting",
  "sw_power_cap",
  "hw_slowdown",
  "hw_thermal_slowdown",
  "hw_power_brake_slowdown",
  "sync_boost",
  "sw_thermal_slowdown",
  "display_clocks_setting",
];

/** Named throttle reasons before driver 535 and event reasons since. */
export function clockReasons(prefix: "clocks_throttle_reason" | "clocks_event_reason"): XmlElements {
  const entries = reasons.map((reason) => [`${prefix}_${reason}`, reason === "gpu_idle" ? "Active" : "Not Active"]);
  return { [`${prefix}s`]: Object.fromEntries(entries) };
}

export function memory({ model }: SimulatedGpu): XmlElements {
  const { memoryMiB, reservedMiB, bar1MiB } = model;
  return {
    fb_memory_usage: {
      total: `${memoryMiB} MiB`,
      reserved: `${reservedMiB} MiB`,
      used: "4 MiB",
      free: `${memoryMiB - reservedMiB - 4} MiB`,
    },
    bar1_memory_usage: { total: `${bar1MiB} MiB`, used: "1 MiB", free: `${bar1MiB - 1} MiB` },
  };
}

export function encoder(): XmlElements {
  const idle = { session_count: "0", average_fps: "0", average_latency: "0" };
  return { encoder_stats: idle, fbc_stats: idle };
}

export function eccMode({ model }: SimulatedGpu): XmlElements {
  const mode = model.ecc ? "Enabled" : notAvailable;
  return { ecc_mode: { current_ecc: mode, pending_ecc: mode } };
}

/** Page retirement, which row remapping replaced. */
export function retiredPages({ model }: SimulatedGpu): XmlElements {
  const retires = model.ecc && !model.remapsRows;
  const pages = { retired_count: retires ? "0" : notAvailable, retired_pagelist: retires ? "" : notAvailable };
  return {
    retired_pages: {
      multiple_single_bit_retirement: pages,
      double_bit_retirement: pages,
      ...all(["pending_blacklist", "pending_retirement"], retires ? "No" : notAvailable),
    },
  };
}

export function remappedRows({ model }: SimulatedGpu): XmlElements {
  if (!model.remapsRows) return { remapped_rows: notAvailable };
  const bank = ["max", "high", "partial", "low", "none"];
  const banks = bank.map((name) => [`row_remapper_histogram_${name}`, name === "max" ? "640 bank(s)" : "0 bank(s)"]);
  return {
    remapped_rows: {
      remapped_row_corr: "0",
      remapped_row_unc: "0",
      remapped_row_pending: "No",
      remapped_row_failure: "No",
      row_remapper_histogram: Object.fromEntries(banks),
    },
  };
}

export function maxClocks({ model }: SimulatedGpu): XmlElements {
  const { graphics, memory: memoryClock, video } = model.clocks;
  return {
    graphics_clock: `${graphics} MHz`,
    sm_clock: `${graphics} MHz`,
    mem_clock: `${memoryClock} MHz`,
    video_clock: `${video} MHz`,
  };
}

/** At rest: the lowest clocks. */
export function idleClocks(): XmlElements {
  return { graphics_clock: "210 MHz", sm_clock: "210 MHz", mem_clock: "405 MHz", video_clock: "585 MHz" };
}

export function supportedClocks({ model }: SimulatedGpu): XmlElements {
  const { graphics, memory: memoryClock } = model.clocks;
  const steps = Array.from(
    { length: Math.floor((graphics - 210) / 15) + 1 },
    (_, step) => `${graphics - step * 15} MHz`,
  );
  const idle = Array.from({ length: 15 }, (_, step) => `${420 - step * 15} MHz`);
  return {
    supported_clocks: {
      supported_mem_clock: [
        { value: `${memoryClock} MHz`, supported_graphics_clock: steps },
        { value: "405 MHz", supported_graphics_clock: idle },
      ],
    },
  };
}

export function watts(value: number): string {
  return `${value.toFixed(2)} W`;
}
