/** A `<gpu>` element in the schema of drivers 450 to 525, nvsmi_device_v11.dtd. Pure. */
import type { SimulatedGpu } from "../simulated-gpu.ts";
import * as section from "./sections.ts";
import { all, notAvailable } from "./sections.ts";
import type { XmlElements } from "./xml.ts";

export function buildGpuV11(gpu: SimulatedGpu, driverVersion: string): XmlElements {
  return { ...head(gpu, driverVersion), ...body(gpu), ...tail(gpu) };
}

function head(gpu: SimulatedGpu, driverVersion: string): XmlElements {
  const { model } = gpu;
  return {
    product_name: model.product,
    product_brand: model.brand,
    product_architecture: model.architecture,
    ...all(["display_mode", "display_active"], "Disabled"),
    persistence_mode: "Enabled",
    ...section.mig(gpu),
    accounting_mode: "Disabled",
    accounting_mode_buffer_size: "4000",
    driver_model: all(["current_dm", "pending_dm"], notAvailable),
    ...section.identity(gpu),
    ...section.board(gpu),
    gpu_part_number: model.partNumber,
    gpu_module_id: "0",
    inforom_version: { img_version: "G414.0200.00.03", oem_object: "1.1", ecc_object: "4.1", pwr_object: notAvailable },
    gpu_operation_mode: all(["current_gom", "pending_gom"], notAvailable),
    gsp_firmware_version: driverVersion,
    gpu_virtualization_mode: { virtualization_mode: "None", host_vgpu_mode: notAvailable },
    ibmnpu: { relaxed_ordering_mode: notAvailable },
  };
}

function body(gpu: SimulatedGpu): XmlElements {
  const gen = String(gpu.model.pcieGen);
  return {
    pci: {
      pci_bus: gpu.busId.slice(9, 11),
      pci_device: "00",
      pci_domain: "0000",
      ...section.pciAddress(gpu),
      pci_gpu_link_info: {
        pcie_gen: { max_link_gen: gen, current_link_gen: "1" },
        link_widths: section.linkWidths(),
      },
      pci_bridge_chip: section.bridge(),
      ...all(["replay_counter", "replay_rollover_counter"], "0"),
      ...all(["tx_util", "rx_util"], "0 KB/s"),
    },
    fan_speed: gpu.model.fan ? "30 %" : notAvailable,
    performance_state: "P8",
    ...section.clockReasons("clocks_throttle_reason"),
    ...section.memory(gpu),
    compute_mode: "Default",
    utilization: all(["gpu_util", "memory_util", "encoder_util", "decoder_util"], "0 %"),
    ...section.encoder(),
    ...section.eccMode(gpu),
    ecc_errors: { volatile: countErrors(gpu), aggregate: countErrors(gpu) },
    ...section.retiredPages(gpu),
    ...section.remappedRows(gpu),
  };
}

/** GPUs before Turing count by bits and place. */
function countErrors({ model }: SimulatedGpu): XmlElements {
  const places = ["device_memory", "register_file", "l1_cache", "l2_cache", "texture_memory", "texture_shm", "cbu"];
  const counts = { ...all(places, notAvailable), device_memory: model.ecc ? "0" : notAvailable };
  const total = model.ecc ? "0" : notAvailable;
  return { single_bit: { ...counts, total }, double_bit: { ...counts, total } };
}

function tail(gpu: SimulatedGpu): XmlElements {
  const { clocks, power } = gpu.model;
  const application = { graphics_clock: `${clocks.graphics} MHz`, mem_clock: `${clocks.memory} MHz` };
  return {
    temperature: {
      gpu_temp: `${gpu.temperatureC} C`,
      gpu_temp_max_threshold: "94 C",
      gpu_temp_slow_threshold: "91 C",
      ...all(["gpu_temp_max_gpu_threshold", "gpu_target_temperature"], notAvailable),
      ...all(["memory_temp", "gpu_temp_max_mem_threshold"], notAvailable),
    },
    supported_gpu_target_temp: all(["gpu_target_temp_min", "gpu_target_temp_max"], notAvailable),
    power_readings: {
      power_state: "P8",
      power_management: "Supported",
      power_draw: section.watts(power.idle),
      ...all(["power_limit", "default_power_limit", "enforced_power_limit"], section.watts(power.limit)),
      min_power_limit: section.watts(power.min),
      max_power_limit: section.watts(power.max),
    },
    clocks: section.idleClocks(),
    applications_clocks: application,
    default_applications_clocks: application,
    max_clocks: section.maxClocks(gpu),
    max_customer_boost_clocks: { graphics_clock: `${clocks.graphics} MHz` },
    clock_policy: all(["auto_boost", "auto_boost_default"], notAvailable),
    voltage: { graphics_volt: notAvailable },
    ...section.supportedClocks(gpu),
    processes: "",
    accounted_processes: "",
  };
}
