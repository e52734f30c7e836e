/** A `<gpu>` element in the schema of drivers 530 to 575, nvsmi_device_v12.dtd. Pure. */
import type { SimulatedGpu } from "../simulated-gpu.ts";
import * as section from "./sections.ts";
import { all, notAvailable } from "./sections.ts";
import type { XmlElements } from "./xml.ts";

export function buildGpuV12(gpu: SimulatedGpu, driverVersion: string): XmlElements {
  return { ...head(gpu, driverVersion), ...pci(gpu), ...body(gpu), ...thermals(gpu), ...tail(gpu) };
}

function head(gpu: SimulatedGpu, driverVersion: string): XmlElements {
  const { model } = gpu;
  return {
    product_name: model.product,
    product_brand: model.brand,
    product_architecture: model.architecture,
    display_mode: "Enabled",
    display_active: "Disabled",
    persistence_mode: "Enabled",
    addressing_mode: "None",
    ...section.mig(gpu),
    accounting_mode: "Disabled",
    accounting_mode_buffer_size: "4000",
    driver_model: all(["current_dm", "pending_dm"], notAvailable),
    ...section.identity(gpu),
    ...section.board(gpu),
    board_part_number: "692-2G506-0210-002",
    gpu_part_number: model.partNumber,
    gpu_fru_part_number: notAvailable,
    gpu_module_id: String(gpu.index + 1),
    inforom_version: {
      img_version: "G506.0210.00.03",
      oem_object: "2.0",
      ecc_object: "6.16",
      pwr_object: notAvailable,
    },
    gpu_operation_mode: all(["current_gom", "pending_gom"], notAvailable),
    gsp_firmware_version: driverVersion,
    gpu_virtualization_mode: { virtualization_mode: "None", host_vgpu_mode: notAvailable },
    gpu_reset_status: all(["reset_required", "drain_and_reset_recommended"], "No"),
    ibmnpu: { relaxed_ordering_mode: notAvailable },
  };
}

function pci(gpu: SimulatedGpu): XmlElements {
  const gens = ["max_link_gen", "current_link_gen", "device_current_link_gen"];
  const maxima = ["max_device_link_gen", "max_host_link_gen"];
  return {
    pci: {
      pci_bus: gpu.busId.slice(9, 11),
      pci_device: "00",
      pci_domain: "0000",
      ...section.pciAddress(gpu),
      pci_gpu_link_info: {
        pcie_gen: all([...gens, ...maxima], String(gpu.model.pcieGen)),
        link_widths: section.linkWidths(),
      },
      pci_bridge_chip: section.bridge(),
      ...all(["replay_counter", "replay_rollover_counter"], "0"),
      ...all(["tx_util", "rx_util"], "0 KB/s"),
      ...all(["atomic_caps_inbound", "atomic_caps_outbound"], notAvailable),
    },
  };
}

function body(gpu: SimulatedGpu): XmlElements {
  const errors = ["sram_correctable", "sram_uncorrectable", "dram_correctable", "dram_uncorrectable"];
  const counts = all(errors, gpu.model.ecc ? "0" : notAvailable);
  return {
    fan_speed: gpu.model.fan ? "0 %" : notAvailable,
    performance_state: "P0",
    ...section.clockReasons("clocks_event_reason"),
    ...section.memory(gpu),
    cc_protected_memory_usage: all(["total", "used", "free"], "0 MiB"),
    compute_mode: "Default",
    utilization: all(["gpu_util", "memory_util", "encoder_util", "decoder_util", "jpeg_util", "ofa_util"], "0 %"),
    ...section.encoder(),
    ...section.eccMode(gpu),
    ecc_errors: { volatile: counts, aggregate: counts },
    ...section.retiredPages(gpu),
    ...section.remappedRows(gpu),
  };
}

function thermals(gpu: SimulatedGpu): XmlElements {
  const { power } = gpu.model;
  const limits = ["current_power_limit", "requested_power_limit", "default_power_limit"];
  const bounds = ["min_power_limit", "max_power_limit"];
  return {
    temperature: {
      gpu_temp: `${gpu.temperatureC} C`,
      gpu_temp_tlimit: notAvailable,
      gpu_temp_max_threshold: "92 C",
      gpu_temp_slow_threshold: "89 C",
      gpu_temp_max_gpu_threshold: "85 C",
      gpu_target_temperature: notAvailable,
      memory_temp: `${gpu.temperatureC + 12} C`,
      gpu_temp_max_mem_threshold: "95 C",
    },
    supported_gpu_target_temp: all(["gpu_target_temp_min", "gpu_target_temp_max"], notAvailable),
    gpu_power_readings: {
      power_state: "P0",
      power_draw: section.watts(power.idle),
      ...all(limits, section.watts(power.limit)),
      min_power_limit: section.watts(power.min),
      max_power_limit: section.watts(power.max),
    },
    module_power_readings: { power_state: "P0", ...all(["power_draw", ...limits, ...bounds], notAvailable) },
  };
}

function tail(gpu: SimulatedGpu): XmlElements {
  const { clocks } = gpu.model;
  const application = { graphics_clock: `${clocks.graphics} MHz`, mem_clock: `${clocks.memory} MHz` };
  return {
    clocks: section.idleClocks(),
    applications_clocks: application,
    default_applications_clocks: application,
    deferred_clocks: { mem_clock: notAvailable },
    max_clocks: section.maxClocks(gpu),
    max_customer_boost_clocks: { graphics_clock: `${clocks.graphics} MHz` },
    clock_policy: all(["auto_boost", "auto_boost_default"], notAvailable),
    voltage: { graphics_volt: "737.500 mV" },
    fabric: all(["state", "status"], notAvailable),
    ...section.supportedClocks(gpu),
    processes: "",
    accounted_processes: "",
  };
}
