/**
 * How far the hardware is proven and which tier that makes. Declared: only one source, or sources that disagree. Inspected:
 * two sources agree and none objects; so is a node without any GPU by every source. Higher steps need a challenge. Pure.
 */
import { computeTier, type Tier, type TierHardware, type TierThresholds } from "../protocol/tier.ts";
import { lookUpComputeCapability } from "../protocol/tier-compute-capability.ts";
import { crossCheck, type Finding, isSameProduct } from "./cross-check.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { GpuReading, HardwareReading } from "./nvidia-smi/reading.ts";

export type InspectionLevel = "Declared" | "Inspected";

export interface TierPolicy {
  readonly thresholds: TierThresholds;
  /** What hardware must be proven to, to count for a tier above Low. */
  readonly minimumLevel: InspectionLevel;
}

/** What nvidia-smi gave: a reading, no GPU, or nothing that can be read. */
export type Observation =
  | { readonly kind: "Read"; readonly reading: HardwareReading }
  | { readonly kind: "NoGpu"; readonly message: string }
  | { readonly kind: "Unreadable"; readonly message: string };

export interface Capability {
  readonly level: InspectionLevel;
  readonly tier: Tier;
  /** Sentences that say what speaks against the reading; empty when nothing does. */
  readonly objections: readonly string[];
}

export function decideCapability(observation: Observation, facts: NodeFacts, policy: TierPolicy): Capability {
  if (observation.kind === "Unreadable") return { level: "Declared", tier: "Low", objections: [observation.message] };
  const reading = observation.kind === "Read" ? observation.reading : undefined;
  const findings = crossCheck(reading, facts);
  const objections = findings.filter((finding) => !finding.agrees).map(({ message }) => message);
  const level = decideLevel(reading, findings);
  const counts = level === "Inspected" || (policy.minimumLevel === "Declared" && objections.length === 0);
  const tier = counts ? computeTier(toTierHardware(reading, facts), policy.thresholds) : "Low";
  return { level, tier, objections };
}

function decideLevel(reading: HardwareReading | undefined, findings: readonly Finding[]): InspectionLevel {
  const agreed = findings.every((finding) => finding.agrees);
  // Without a GPU there is nothing to confirm, only something to contradict.
  const confirmed = reading === undefined || findings.some((finding) => finding.agrees);
  return agreed && confirmed ? "Inspected" : "Declared";
}

function toTierHardware(reading: HardwareReading | undefined, facts: NodeFacts): TierHardware {
  const { replicas } = facts.discovery;
  if (reading === undefined) return { gpus: listOtherGpus(facts) };
  return {
    ...(replicas === undefined ? {} : { replicas }),
    gpus: reading.gpus.map((gpu) => {
      const computeCapability = findComputeCapability(gpu, facts);
      return {
        memoryMiB: gpu.memoryMiB,
        healthy: isHealthy(gpu, facts),
        ...(computeCapability === undefined ? {} : { computeCapability }),
        ...(gpu.migEnabled ? { instanceMemoryMiB: gpu.migInstances.map((instance) => instance.memoryMiB) } : {}),
      };
    }),
  };
}

function listOtherGpus({ otherGpus }: NodeFacts): TierHardware["gpus"] {
  const { memoryMiB, count } = otherGpus ?? { memoryMiB: undefined, count: 0 };
  if (memoryMiB === undefined) return [];
  return Array.from({ length: Math.min(count, maxOtherGpus) }, () => ({ memoryMiB, otherVendor: true }));
}

/** The weakest decides, and these are all alike. */
const maxOtherGpus = 64;

/** A condition of the node names no GPU: it is held against all of them. */
export function isHealthy(gpu: GpuReading, { faults }: NodeFacts): boolean {
  return gpu.faults.length === 0 && faults.length === 0;
}

/**
 * nvidia-smi does not say it. The DRA driver's and the label's are the driver's own word on the GPU or the product that
 * they name; else the table is asked.
 */
export function findComputeCapability(gpu: GpuReading, { discovery, devices }: NodeFacts): string | undefined {
  const { product, computeCapability } = discovery;
  const published = devices.find(({ gpuUuid }) => gpuUuid === gpu.uuid)?.computeCapability;
  const isMeant = product !== undefined && isSameProduct(gpu.product, product);
  const labelled = isMeant ? computeCapability : undefined;
  return published ?? labelled ?? lookUpComputeCapability(gpu.product, gpu.architecture);
}
