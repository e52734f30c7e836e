/**
 * Holds what nvidia-smi reports against what the node says by other means. Each check answers a finding: the two agree,
 * they contradict each other, or there is nothing to compare. Pure.
 */
import type { DiscoveryLabels, NodeFacts } from "./node-facts.ts";
import type { GpuReading, HardwareReading } from "./nvidia-smi/reading.ts";
import type { OtherGpus } from "./other-vendors.ts";
import type { SliceDevice } from "./slice-devices.ts";

export interface Finding {
  readonly agrees: boolean;
  /** For people. */
  readonly message: string;
}

/** @param reading undefined where nvidia-smi finds no GPU */
export function crossCheck(reading: HardwareReading | undefined, facts: NodeFacts): Finding[] {
  const gpus = reading?.gpus ?? [];
  return [
    ...checkDocument(reading),
    ...checkCapacity(gpus, facts),
    ...checkCount(gpus, facts.discovery),
    ...checkProduct(gpus, facts.discovery),
    ...checkMemory(gpus, facts.discovery),
    ...checkDevices(gpus, facts.devices),
    ...checkOtherGpus(facts.otherGpus),
  ];
}

/** nvidia-smi against itself. */
function checkDocument(reading: HardwareReading | undefined): Finding[] {
  if (reading === undefined) return [];
  const described = reading.gpus.length + reading.quarantined.length;
  const missing = reading.attachedGpus - described;
  return [
    ...reading.quarantined.map(({ index, reason }) => contradiction(`GPU ${index} is not believed: ${reason}`)),
    ...(missing > 0 ? [contradiction(`nvidia-smi describes ${described} of ${reading.attachedGpus} GPUs`)] : []),
  ];
}

function checkCapacity(gpus: readonly GpuReading[], facts: NodeFacts): Finding[] {
  const { capacityUnits } = facts;
  if (capacityUnits === undefined) return [contradiction("the node's nvidia.com capacity is not a count")];
  if (capacityUnits === 0) return [];
  const expected = countUnits(gpus, facts.discovery);
  const said = `the node's capacity is ${capacityUnits} nvidia.com units`;
  return expected.includes(capacityUnits)
    ? [{ agrees: true, message: said }]
    : [contradiction(`${said}, nvidia-smi's GPUs make ${expected.join(" or ")}`)];
}

/** GPUs and MIG instances, times replicas. Where the MIG strategy is unknown or none, a GPU with MIG counts as one. */
function countUnits(gpus: readonly GpuReading[], { replicas, migStrategy }: DiscoveryLabels): number[] {
  const each = Math.max(1, replicas ?? 1);
  const instances = gpus.reduce((sum, gpu) => sum + (gpu.migEnabled ? gpu.migInstances.length : 1), 0) * each;
  const whole = gpus.length * each;
  const strategyKnown = migStrategy === "single" || migStrategy === "mixed";
  return strategyKnown || instances === whole ? [instances] : [instances, whole];
}

function checkCount(gpus: readonly GpuReading[], discovery: DiscoveryLabels): Finding[] {
  if (discovery.count === undefined || discovery.count === 0) return [];
  // Strategy `single` counts instances.
  const instances = gpus.reduce((sum, gpu) => sum + (gpu.migEnabled ? gpu.migInstances.length : 1), 0);
  const said = `labels say ${discovery.count} GPUs`;
  return discovery.count === gpus.length || (discovery.migStrategy === "single" && discovery.count === instances)
    ? [{ agrees: true, message: said }]
    : [contradiction(`${said}, nvidia-smi ${gpus.length}`)];
}

/** Where a node has several kinds of GPU the labels describe one of them, so one that fits is enough. */
function checkProduct(gpus: readonly GpuReading[], { product }: DiscoveryLabels): Finding[] {
  if (product === undefined) return [];
  const said = `labels say ${product}`;
  return gpus.some((gpu) => isSameProduct(gpu.product, product))
    ? [{ agrees: true, message: said }]
    : [contradiction(`${said}, nvidia-smi ${gpus[0]?.product ?? "none"}`)];
}

/** Labels write the product with dashes, and with a suffix where it is shared or cut into instances. */
export function isSameProduct(product: string, label: string): boolean {
  const plain = (name: string) =>
    name
      .replaceAll(/[\s_-]+/g, "-")
      .replace(/^NVIDIA-/i, "")
      .toLowerCase();
  return `${plain(label)}-`.startsWith(`${plain(product)}-`);
}

/** Part of the memory that is reserved may or may not be counted. */
const memoryTolerance = 0.05;

function checkMemory(gpus: readonly GpuReading[], { memoryMiB, replicas }: DiscoveryLabels): Finding[] {
  if (memoryMiB === undefined) return [];
  // With MPS the label says a replica's share, with MIG strategy `single` an instance's.
  const candidates = gpus.flatMap((gpu) => [
    gpu.memoryMiB,
    gpu.memoryMiB / Math.max(1, replicas ?? 1),
    ...gpu.migInstances.map((instance) => instance.memoryMiB),
  ]);
  const said = `labels say ${memoryMiB} MiB`;
  return candidates.some((candidate) => Math.abs(candidate - memoryMiB) <= candidate * memoryTolerance)
    ? [{ agrees: true, message: said }]
    : [contradiction(`${said}, nvidia-smi ${gpus[0]?.memoryMiB ?? 0} MiB`)];
}

/** A DRA driver names each GPU by its UUID: the closest that two sources can come. */
function checkDevices(gpus: readonly GpuReading[], devices: readonly SliceDevice[]): Finding[] {
  if (devices.length === 0) return [];
  const published = new Set(devices.map(({ gpuUuid }) => gpuUuid));
  const unread = [...published].filter((uuid) => gpus.every((gpu) => gpu.uuid !== uuid));
  const unpublished = gpus.filter(({ uuid }) => !published.has(uuid));
  const wrong = devices.filter((device) =>
    gpus.some((gpu) => gpu.uuid === device.gpuUuid && !isSameDevice(gpu, device)),
  );
  const said = `resource slices publish ${published.size} GPUs`;
  if (unread.length > 0) return [contradiction(`${said}, nvidia-smi knows nothing of ${unread[0]}`)];
  if (unpublished.length > 0) return [contradiction(`${said}, and not ${unpublished[0]?.uuid}`)];
  const [first] = wrong;
  if (first === undefined) return [{ agrees: true, message: said }];
  return [
    contradiction(`resource slices say ${first.product}, ${first.memoryMiB} MiB for ${first.gpuUuid}, nvidia-smi not`),
  ];
}

/** A MIG device is smaller than its GPU, and named after it or not. */
function isSameDevice(gpu: GpuReading, { kind, product, memoryMiB }: SliceDevice): boolean {
  if (memoryMiB !== undefined && memoryMiB > gpu.memoryMiB * (1 + memoryTolerance)) return false;
  if (kind === "Mig") return gpu.migEnabled;
  if (memoryMiB !== undefined && memoryMiB < gpu.memoryMiB * (1 - memoryTolerance)) return false;
  return product === undefined || isSameProduct(gpu.product, product);
}

/** Labels and device plugin are two programs at least: they must count alike. */
function checkOtherGpus(other: OtherGpus | undefined): Finding[] {
  if (other === undefined) return [];
  const { vendor, product, count, capacityUnits, memoryMiB } = other;
  const said = `labels say ${count}x ${vendor} ${product}`;
  if (capacityUnits === undefined) return [contradiction(`${said}, and the node's capacity has no such GPU`)];
  if (memoryMiB === undefined) return [contradiction(`${said}, and no label says how much memory one has`)];
  // Intel's plugin may offer each GPU several times over.
  const fits = vendor === "AMD" ? count === capacityUnits : count > 0 && capacityUnits % count === 0;
  return fits ? [{ agrees: true, message: said }] : [contradiction(`${said}, the node's capacity is ${capacityUnits}`)];
}

function contradiction(message: string): Finding {
  return { agrees: false, message };
}
