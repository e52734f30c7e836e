/** A `<gpu>` element in the schema of drivers since 580, nvsmi_device_v13.dtd. Pure. */
import type { SimulatedGpu } from "../simulated-gpu.ts";
import * as section from "./sections.ts";
import { all, notAvailable } from "./sections.ts";
import type { XmlElements } from "./xml.ts";

/** What this generation prints for fields that it gave up. */
const deprecated = "Requested functionality has been deprecated";

export function buildGpuV13(gpu: SimulatedGpu, driverVersion: string): XmlElements {
  return {
    ...head(gpu),
    ...boards(gpu, driverVersion),
    ...pci(gpu),
    ...body(gpu),
    ...memoryHealth(gpu),
    ...power(gpu),
    ...tail(gpu),
  };
}

function head(gpu: SimulatedGpu): XmlElements {
  const { model } = gpu;
  return {
    product_name: model.product,
    product_brand: model.brand,
    product_architecture: model.architecture,
    display_mode: deprecated,
    display_attached: "No",
    display_active: "Disabled",
    persistence_mode: "Enabled",
    addressing_mode: "HMM",
    ...section.mig(gpu),
    accounting_mode: "Disabled",
    accounting_mode_buffer_size: "4000",
    driver_model: all(["current_dm", "pending_dm"], notAvailable),
    ...section.identity(gpu),
    pdi: `0x${gpu.uuid.slice(-12)}0001`,
    ...section.board(gpu),
    board_part_number: "900-2G193-0000-001",
    gpu_part_number: model.partNumber,
    gpu_fru_part_number: notAvailable,
  };
}

function boards(gpu: SimulatedGpu, driverVersion: string): XmlElements {
  const platform = ["chassis_serial_number", "slot_number", "tray_index", "host_id", "peer_type"];
  return {
    platformInfo: {
      ...all(platform, notAvailable),
      module_id: String(gpu.index + 1),
      gpu_fabric_guid: notAvailable,
    },
    inforom_version: {
      img_version: "G193.0200.00.01",
      oem_object: "2.1",
      ecc_object: "6.16",
      pwr_object: notAvailable,
    },
    inforom_bbx_flush: all(["latest_timestamp", "latest_duration"], notAvailable),
    gpu_operation_mode: all(["current_gom", "pending_gom"], notAvailable),
    c2c_mode: notAvailable,
    gpu_virtualization_mode: {
      virtualization_mode: "None",
      ...all(["host_vgpu_mode", "vgpu_heterogeneous_mode"], notAvailable),
    },
    gpu_recovery_action: "None",
    gsp_firmware_version: driverVersion,
    ibmnpu: { relaxed_ordering_mode: notAvailable },
  };
}

function pci(gpu: SimulatedGpu): XmlElements {
  const gens = ["max_link_gen", "current_link_gen", "device_current_link_gen"];
  return {
    pci: {
      pci_bus: gpu.busId.slice(9, 11),
      pci_device: "00",
      pci_domain: "0000",
      pci_base_class: "3",
      pci_sub_class: gpu.model.fan ? "0" : "2",
      ...section.pciAddress(gpu),
      pci_gpu_link_info: {
        pcie_gen: all([...gens, "max_device_link_gen", "max_host_link_gen"], String(gpu.model.pcieGen)),
        link_widths: section.linkWidths(),
      },
      pci_bridge_chip: section.bridge(),
      ...all(["replay_counter", "replay_rollover_counter"], "0"),
      ...all(["tx_util", "rx_util"], "0 KB/s"),
      ...all(["atomic_caps_outbound", "atomic_caps_inbound"], notAvailable),
    },
    fan_speed: gpu.model.fan ? "0 %" : notAvailable,
    performance_state: "P8",
  };
}

function body(gpu: SimulatedGpu): XmlElements {
  const counters = ["sw_power_cap", "sync_boost", "sw_therm_slowdown", "hw_therm_slowdown", "hw_power_brake"];
  return {
    ...section.clockReasons("clocks_event_reason"),
    clocks_event_reasons_counters: all(
      counters.map((name) => `clocks_event_reasons_counters_${name}`),
      "0 us",
    ),
    sparse_operation_mode: notAvailable,
    ...section.memory(gpu),
    cc_protected_memory_usage: all(["total", "used", "free"], "0 MiB"),
    compute_mode: "Default",
    utilization: all(["gpu_util", "memory_util", "encoder_util", "decoder_util", "jpeg_util", "ofa_util"], "0 %"),
    ...section.encoder(),
    dram_encryption_mode: all(["current_dram_encryption", "pending_dram_encryption"], notAvailable),
  };
}

function memoryHealth(gpu: SimulatedGpu): XmlElements {
  const { ecc } = gpu.model;
  const count = ecc ? "0" : notAvailable;
  const sram = ["sram_correctable", "sram_uncorrectable_parity", "sram_uncorrectable_secded"];
  const counts = all([...sram, "dram_correctable", "dram_uncorrectable"], count);
  return {
    ...section.eccMode(gpu),
    ecc_errors: {
      volatile: counts,
      aggregate: { ...counts, sram_threshold_exceeded: ecc ? "No" : notAvailable },
      aggregate_uncorrectable_sram_sources: all(
        ["sram_l2", "sram_sm", "sram_microcontroller", "sram_pcie", "sram_other"],
        count,
      ),
      ...all(["channel_repair_pending", "tpc_repair_pending"], "No"),
      unrepairable_memory: ecc ? "No" : notAvailable,
    },
    ...section.retiredPages(gpu),
    ...section.remappedRows(gpu),
    temperature: {
      gpu_temp: `${gpu.temperatureC} C`,
      gpu_temp_tlimit: notAvailable,
      gpu_temp_max_threshold: "97 C",
      gpu_temp_slow_threshold: "94 C",
      gpu_temp_max_gpu_threshold: "92 C",
      ...all(["gpu_target_temperature", "memory_temp", "gpu_temp_max_mem_threshold"], notAvailable),
    },
    supported_gpu_target_temp: all(["gpu_target_temp_min", "gpu_target_temp_max"], notAvailable),
  };
}

function power({ model }: SimulatedGpu): XmlElements {
  const draws = ["average_power_draw", "instant_power_draw"];
  const limits = ["current_power_limit", "requested_power_limit", "default_power_limit"];
  const bounds = ["min_power_limit", "max_power_limit"];
  return {
    gpu_power_readings: {
      power_state: deprecated,
      ...all(draws, section.watts(model.power.idle)),
      ...all(limits, section.watts(model.power.limit)),
      min_power_limit: section.watts(model.power.min),
      max_power_limit: section.watts(model.power.max),
    },
    gpu_memory_power_readings: all(draws, notAvailable),
    module_power_readings: { power_state: deprecated, ...all([...draws, ...limits, ...bounds], notAvailable) },
    power_smoothing: notAvailable,
    power_profiles: all(["power_profile_requested_profiles", "power_profile_enforced_profiles"], notAvailable),
    edpp_multiplier: notAvailable,
  };
}

function tail(gpu: SimulatedGpu): XmlElements {
  const application = all(["graphics_clock", "mem_clock"], deprecated);
  const health = ["summary", "bandwidth", "route_recovery_in_progress", "route_unhealthy", "access_timeout_recovery"];
  return {
    clocks: section.idleClocks(),
    applications_clocks: application,
    default_applications_clocks: application,
    deferred_clocks: { mem_clock: notAvailable },
    max_clocks: section.maxClocks(gpu),
    max_customer_boost_clocks: { graphics_clock: notAvailable },
    clock_policy: all(["auto_boost", "auto_boost_default"], notAvailable),
    fabric: {
      ...all(["state", "status", "cliqueId", "clusterUuid"], notAvailable),
      health: all([...health, "incorrect_configuration", "partition_assigned"], notAvailable),
    },
    ...section.supportedClocks(gpu),
    processes: "",
    accounted_processes: "",
    capabilities: { egm: "disabled" },
  };
}
