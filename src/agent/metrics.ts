/** The agent's metrics: facts and sensors of the GPUs as of the last reading, and whether readings and writes succeed. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { Capability, Observation } from "./decide-capability.ts";

export type AgentMetrics = ReturnType<typeof createAgentMetrics>;

export function createAgentMetrics(registry: Registry) {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: ["uuid"], registers });
  return {
    gpuInfo: new Gauge({
      name: "inferium_gpu_info",
      help: "1 for each GPU that nvidia-smi reports and that is believed.",
      labelNames: ["uuid", "product", "driver", "simulated"],
      registers,
    }),
    gpuMemory: gauge("inferium_gpu_memory_total_bytes", "Memory of the GPU."),
    gpuMemoryUsed: gauge("inferium_gpu_memory_used_bytes", "Memory of the GPU in use."),
    gpuHealthy: gauge("inferium_gpu_healthy", "1 where the GPU has no fault that should keep work away, else 0."),
    gpuUtilization: gauge("inferium_gpu_utilization_ratio", "Share of time in which a kernel ran."),
    gpuTemperature: gauge("inferium_gpu_temperature_celsius", "Temperature of the GPU."),
    gpuPower: gauge("inferium_gpu_power_watts", "Power draw of the GPU."),
    gpuSlowdown: new Gauge({
      name: "inferium_gpu_slowdown",
      help: "1 for each reason why heat or power lowers the GPU's clocks.",
      labelNames: ["uuid", "reason"],
      registers,
    }),
    quarantined: new Gauge({
      name: "inferium_gpu_quarantined",
      help: "GPUs whose reported values cannot be true.",
      registers,
    }),
    tier: new Gauge({
      name: "inferium_agent_tier",
      help: "1 for the tier and level that the hardware reaches.",
      labelNames: ["tier", "level"],
      registers,
    }),
    readFailures: new Counter({
      name: "inferium_agent_read_failures_total",
      help: "Readings of nvidia-smi that failed, by kind.",
      labelNames: ["kind"],
      registers,
    }),
    writes: new Counter({
      name: "inferium_agent_writes_total",
      help: "Writes to the API, by what was written.",
      labelNames: ["target"],
      registers,
    }),
  };
}

const bytesPerMiB = 1024 * 1024;

export function showObservation(metrics: AgentMetrics, observation: Observation, simulated: boolean): void {
  const { gpuInfo, gpuMemory, gpuMemoryUsed, gpuHealthy, gpuUtilization, gpuTemperature, gpuPower } = metrics;
  for (const gauge of [gpuInfo, gpuMemory, gpuMemoryUsed, gpuHealthy, gpuUtilization, gpuTemperature, gpuPower]) {
    gauge.reset();
  }
  metrics.gpuSlowdown.reset();
  const reading = observation.kind === "Read" ? observation.reading : undefined;
  metrics.quarantined.set(reading?.quarantined.length ?? 0);
  for (const gpu of reading?.gpus ?? []) {
    const { uuid, product } = gpu;
    const driver = reading?.driverVersion ?? "";
    gpuInfo.set({ uuid, product, driver, simulated: String(simulated) }, 1);
    gpuMemory.set({ uuid }, gpu.memoryMiB * bytesPerMiB);
    gpuHealthy.set({ uuid }, gpu.faults.length === 0 ? 1 : 0);
    if (gpu.memoryUsedMiB !== undefined) gpuMemoryUsed.set({ uuid }, gpu.memoryUsedMiB * bytesPerMiB);
    if (gpu.utilization !== undefined) gpuUtilization.set({ uuid }, gpu.utilization / 100);
    if (gpu.temperatureC !== undefined) gpuTemperature.set({ uuid }, gpu.temperatureC);
    if (gpu.powerW !== undefined) gpuPower.set({ uuid }, gpu.powerW);
    for (const reason of gpu.slowdowns) metrics.gpuSlowdown.set({ uuid, reason }, 1);
  }
}

export function showCapability({ tier }: AgentMetrics, capability: Capability): void {
  tier.reset();
  tier.set({ tier: capability.tier, level: capability.level }, 1);
}
