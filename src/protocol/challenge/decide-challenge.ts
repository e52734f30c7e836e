/**
 * Which challenge a worker's hardware calls for, and what its answer is worth. Pure.
 * Of the claimed memory half must be held at once, for the rest is the runtime's; of the published rate half must be shown
 * over the whole time, beside a fixed time for everything that is not arithmetic (making the matrices, loading the graph,
 * copies, the network).
 */
import { concat, id, keccak256 } from "ethers";
import { findPeakRate } from "./hardware-class.ts";
import { type ChallengePlan, countMemoryBytes, countOperations, planChallenge } from "./plan.ts";

export interface ChallengeGpu {
  readonly uuid: string;
  readonly product: string;
  readonly memoryMiB: number;
  /** What one task can have of it; the whole where left out. */
  readonly unitMemoryMiB?: number;
  readonly computeCapability?: string;
  readonly migEnabled?: boolean;
}

export interface DecidedChallenge {
  readonly plan: ChallengePlan;
  /** From handing out to the answer. */
  readonly limitMs: number;
  /** The claim in words, such as `4x NVIDIA A100-SXM4-80GB`. */
  readonly claim: string;
  /** How many GPUs it is made for. */
  readonly gpus: number;
}

const bytesPerMiB = 1024 * 1024;
const memoryShare = 0.5;
const rateShare = 0.5;
const arithmeticSeconds = 10;
const overheadMs = 6_000;
const overheadPerDeviceMs = 2_000;
/** For reading what was kept, over and over. */
const passesMs = 5_000;
/** A machine without a GPU shows that its runtime computes, and how fast: nothing is asked of it. */
const cpuOperations = 2e9;
const cpuLimitMs = 120_000;

/** @param healthy those that are healthy; of one that nothing can run on nothing is asked */
export function decideChallenge(healthy: readonly ChallengeGpu[], seed: string): DecidedChallenge {
  const gpus = pickDevices(healthy.filter((gpu) => unitOf(gpu) >= 1));
  const [slowest] = gpus.map(rateOf).toSorted((a, b) => a - b);
  if (slowest === undefined) {
    const plan = planChallenge({ seed, operations: cpuOperations, memoryBytes: 0, devices: 1 });
    return { plan, limitMs: cpuLimitMs, claim: "no GPU", gpus: 0 };
  }
  // All devices get as many columns, so the least of them decides.
  const smallest = Math.min(...gpus.map(unitOf));
  const required = slowest * rateShare * gpus.length;
  const plan = planChallenge({
    seed,
    operations: required * arithmeticSeconds,
    memoryBytes: smallest * memoryShare * bytesPerMiB * gpus.length,
    devices: gpus.length,
  });
  const arithmeticMs = Math.ceil((countOperations(plan) / required) * 1_000);
  return {
    plan,
    limitMs: overheadMs + overheadPerDeviceMs * gpus.length + passesMs + arithmeticMs,
    claim: describeClaim(gpus),
    gpus: gpus.length,
  };
}

/** A process that computes on an instance sees no other device: of such a machine the weakest unit is asked, alone. */
function pickDevices(gpus: readonly ChallengeGpu[]): readonly ChallengeGpu[] {
  if (!gpus.some(({ migEnabled }) => migEnabled)) return gpus;
  return gpus.toSorted((a, b) => unitOf(a) - unitOf(b)).slice(0, 1);
}

/** How many GPUs one task can have: all, or a single unit where one of them is cut into instances. */
export function countUsable(gpus: readonly ChallengeGpu[]): number {
  return pickDevices(gpus).length;
}

const unitOf = ({ memoryMiB, unitMemoryMiB }: ChallengeGpu) => unitMemoryMiB ?? memoryMiB;

/** An instance or a replica has its share of the GPU's rate, as of its memory. */
function rateOf(gpu: ChallengeGpu): number {
  return findPeakRate(gpu.product, gpu.computeCapability) * Math.min(1, unitOf(gpu) / Math.max(1, gpu.memoryMiB));
}

function describeClaim(gpus: readonly ChallengeGpu[]): string {
  const groups = Map.groupBy(gpus, ({ product }) => product);
  return [...groups].map(([product, members]) => `${members.length}x ${product}`).join(" + ");
}

/** Equal for the same GPUs with the same shares: an answer speaks of these and no others. */
export function describeGpus(gpus: readonly ChallengeGpu[]): string {
  return gpus
    .map((gpu) => `${gpu.uuid} ${gpu.product} ${gpu.memoryMiB} ${unitOf(gpu)} ${gpu.migEnabled ?? false}`)
    .sort()
    .join("\n");
}

/** Operations per second in 10^12, over the whole time: what the score is. */
export function computeScore(plan: ChallengePlan, elapsedMs: number): number {
  return Math.round((countOperations(plan) / 1e12 / (Math.max(1, elapsedMs) / 1_000)) * 1_000) / 1_000;
}

export function heldMiB(plan: ChallengePlan): number {
  return Math.floor(countMemoryBytes(plan) / bytesPerMiB);
}

/** What evidence must be made for: this challenge, which nobody foresaw, and this worker. */
export function computeEvidenceNonce(seed: string, address: string): string {
  return keccak256(concat([id("inferium evidence"), seed, address.toLowerCase()]));
}

/** Of each column. */
export const digestBytes = 4;

/** Columns whose digests differ; `expected` has one for each of `columns`, in their order. */
export function findWrongColumns(answer: Uint8Array, expected: Uint8Array, columns: readonly number[]): number[] {
  return columns.filter((column, index) => {
    const given = answer.subarray(column * digestBytes, (column + 1) * digestBytes);
    const right = expected.subarray(index * digestBytes, (index + 1) * digestBytes);
    return given.length !== digestBytes || given.some((byte, at) => byte !== right[at]);
  });
}
