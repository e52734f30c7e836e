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
  const tier = reading && counts ? computeTier(toTierHardware(reading, facts), policy.thresholds) : "Low";
  return { level, tier, objections };
}

function decideLevel(reading: HardwareReading | undefined, findings: readonly Finding[]): InspectionLevel {
  const agreed = findings.every((finding) => finding.agrees);
  // Without a GPU there is nothing to confirm, only something to contradict.
  const confirmed = reading === undefined || findings.some((finding) => finding.agrees);
  return agreed && confirmed ? "Inspected" : "Declared";
}

function toTierHardware(reading: HardwareReading, facts: NodeFacts): TierHardware {
  const { replicas } = facts.discovery;
  return {
    ...(replicas === undefined ? {} : { replicas }),
    gpus: reading.gpus.map((gpu) => {
      const computeCapability = findComputeCapability(gpu, facts);
      return {
        memoryMiB: gpu.memoryMiB,
        healthy: gpu.faults.length === 0,
        ...(computeCapability === undefined ? {} : { computeCapability }),
        ...(gpu.migEnabled ? { instanceMemoryMiB: gpu.migInstances.map((instance) => instance.memoryMiB) } : {}),
      };
    }),
  };
}

/** nvidia-smi does not say it. The label is the driver's own word on the product that it names; else the table is asked. */
export function findComputeCapability(gpu: GpuReading, { discovery }: NodeFacts): string | undefined {
  const { product, computeCapability } = discovery;
  const isMeant = product !== undefined && isSameProduct(gpu.product, product);
  return (isMeant ? computeCapability : undefined) ?? lookUpComputeCapability(gpu.product, gpu.architecture);
}
