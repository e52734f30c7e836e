/**
 * Stage 3, matching by tier: High > Mid > Low, computed from what hardware can do and never from a product's name alone.
 * Called by the agent (which tier a node reaches) and by the operator (whether that is enough). Pure.
 */
import { InferiumError } from "../base/errors.ts";
import { compareComputeCapability } from "./tier-compute-capability.ts";

export const tiers = ["Low", "Mid", "High"] as const;
export type Tier = (typeof tiers)[number];

/** One GPU as a task would meet it. */
export interface TierGpu {
  readonly memoryMiB: number;
  /** Such as "8.0". Left out where nothing says it: then the GPU reaches no tier above Low. */
  readonly computeCapability?: string;
  /** CUDA's compute capability is not asked of another vendor's GPU: there its memory decides. */
  readonly otherVendor?: boolean;
  /** Only `false` counts against it. */
  readonly healthy?: boolean;
  /** With MIG on: memory of each instance. Empty means that MIG is on and nothing can run. Left out: MIG is off. */
  readonly instanceMemoryMiB?: readonly number[];
}

export interface TierHardware {
  readonly gpus: readonly TierGpu[];
  /** Tasks that share one GPU or instance (time slicing, MPS); its memory is divided by it. */
  readonly replicas?: number;
}

export interface TierRequirement {
  readonly memoryMiB: number;
  readonly computeCapability: string;
}

export interface TierThresholds {
  readonly High: TierRequirement;
  readonly Mid: TierRequirement;
}

/**
 * High admits an A100 40 GB, which reports 40,960 MiB or a little less, and anything with bfloat16 tensor cores of that
 * size; Mid admits a T4 or an RTX 3080; all else, a CPU-only node included, is Low.
 */
export const defaultTierThresholds: TierThresholds = Object.freeze({
  High: Object.freeze({ memoryMiB: 40_000, computeCapability: "8.0" }),
  Mid: Object.freeze({ memoryMiB: 10_000, computeCapability: "7.0" }),
});

export function isTier(value: unknown): value is Tier {
  return tiers.some((tier) => tier === value);
}

/** Negative where `a` is below `b`, 0 where they are the same, positive where it is above. */
export function compareTiers(a: Tier, b: Tier): number {
  return tiers.indexOf(a) - tiers.indexOf(b);
}

/** Whether a worker of `tier` may run a task that asks for at least `minimum`. */
export function isAtLeast(tier: Tier, minimum: Tier): boolean {
  return compareTiers(tier, minimum) >= 0;
}

/** An owner may lower a tier; an override above the computed one has no effect. */
export function applyTierOverride(tier: Tier, override: Tier | undefined): Tier {
  return override === undefined || isAtLeast(override, tier) ? tier : override;
}

/**
 * The tier of the weakest unit that a task can land on: a whole GPU, a MIG instance, or a replica's share of one.
 * Unhealthy GPUs take no task and do not count; with no unit left the hardware is Low.
 */
export function computeTier(hardware: TierHardware, thresholds: TierThresholds = defaultTierThresholds): Tier {
  const replicas = Math.max(1, Math.floor(hardware.replicas ?? 1));
  const units = hardware.gpus.filter((gpu) => gpu.healthy !== false).flatMap((gpu) => listUnits(gpu, replicas));
  const reached = units.map((unit) => computeUnitTier(unit, thresholds));
  return reached.reduce((weakest, tier) => (compareTiers(tier, weakest) < 0 ? tier : weakest), reached[0] ?? "Low");
}

interface Unit {
  readonly memoryMiB: number;
  readonly computeCapability: string | undefined;
  readonly otherVendor: boolean;
}

function listUnits(gpu: TierGpu, replicas: number): Unit[] {
  const { computeCapability, otherVendor = false } = gpu;
  const memories = gpu.instanceMemoryMiB ?? [gpu.memoryMiB];
  return memories.map((memoryMiB) => ({ memoryMiB: memoryMiB / replicas, computeCapability, otherVendor }));
}

function computeUnitTier(unit: Unit, thresholds: TierThresholds): Tier {
  if (meets(unit, thresholds.High)) return "High";
  return meets(unit, thresholds.Mid) ? "Mid" : "Low";
}

function meets(unit: Unit, requirement: TierRequirement): boolean {
  if (!(unit.memoryMiB >= requirement.memoryMiB)) return false;
  if (unit.otherVendor) return true;
  if (unit.computeCapability === undefined) return false;
  return compareComputeCapability(unit.computeCapability, requirement.computeCapability) >= 0;
}

const requirementPattern = /^\s*(High|Mid)\s*=\s*(\d{1,9})\s*\/\s*(\d{1,3}\.\d{1,2})\s*$/;

/**
 * Reads thresholds written as `High=40000/8.0,Mid=10000/7.0` (MiB per unit / compute capability); a tier left out keeps
 * its default.
 * @throws InferiumError InvalidTierThresholds, also where High asks for less than Mid
 */
export function parseTierThresholds(value: string): TierThresholds {
  const given: { High?: TierRequirement; Mid?: TierRequirement } = {};
  for (const part of value.split(",")) {
    const [, tier, memoryMiB, computeCapability] = requirementPattern.exec(part) ?? [];
    if ((tier !== "High" && tier !== "Mid") || memoryMiB === undefined || computeCapability === undefined) {
      throw invalidThresholds(value, `"${part}" is not tier=MiB/capability`);
    }
    given[tier] = { memoryMiB: Number(memoryMiB), computeCapability };
  }
  const thresholds = { ...defaultTierThresholds, ...given };
  const { High, Mid } = thresholds;
  const ordered = compareComputeCapability(High.computeCapability, Mid.computeCapability) >= 0;
  if (!ordered || High.memoryMiB < Mid.memoryMiB) throw invalidThresholds(value, "High asks for less than Mid");
  return thresholds;
}

function invalidThresholds(value: string, problem: string): InferiumError {
  const message = `Tier thresholds "${value.slice(0, 120)}" cannot be used: ${problem}; give for example High=40000/8.0,Mid=10000/7.0.`;
  return new InferiumError("InvalidTierThresholds", message);
}
