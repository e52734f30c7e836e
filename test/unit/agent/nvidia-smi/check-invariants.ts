/** What must hold of every reading, whatever document it was read from. */
import { expect } from "vitest";
import type { HardwareReading } from "../../../../src/agent/nvidia-smi/reading.ts";

export function checkInvariants(reading: HardwareReading): void {
  const uuids = reading.gpus.map(({ uuid }) => uuid);
  expect(new Set(uuids).size).toBe(uuids.length);
  expect(reading.attachedGpus).toBeLessThanOrEqual(64);
  for (const gpu of reading.gpus) {
    expect(gpu.memoryMiB).toBeGreaterThan(0);
    expect(gpu.memoryMiB).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(gpu.memoryUsedMiB ?? 0).toBeGreaterThanOrEqual(0);
    expect(gpu.memoryUsedMiB ?? 0).toBeLessThanOrEqual(gpu.memoryMiB);
    expect(gpu.utilization ?? 0).toBeLessThanOrEqual(100);
    expect(gpu.product).toMatch(/^[\x20-\x7e]{1,128}$/);
    // Instances with several compute instances each are counted once.
    const perInstance = new Map<number, number>();
    for (const { gpuInstanceId, memoryMiB } of gpu.migInstances)
      perInstance.set(gpuInstanceId, (perInstance.get(gpuInstanceId) ?? 0) + memoryMiB);
    expect([...perInstance.values()].reduce((sum, memoryMiB) => sum + memoryMiB, 0)).toBeLessThanOrEqual(gpu.memoryMiB);
  }
  for (const { reason } of reading.quarantined) expect(reason).not.toBe("");
}
