/**
 * Machines of the simulation: what is really in them, what they show of themselves, and how they deal with a challenge. The
 * documents and labels are those of the embedded run's simulated nodes, without the mark that says so.
 */
import { a100Sxm80, type GpuModel, l4, p4, rtx4070 } from "../../../src/embedded/nodes/gpu-model.ts";
import { buildCpuNode, buildGpuNode } from "../../../src/embedded/nodes/node-profiles.ts";
import type { Driver } from "../../../src/embedded/nodes/smi/document.ts";
import { type ChallengePlan, countMemoryBytes, countOperations } from "../../../src/protocol/challenge/plan.ts";
import type { TierGpu } from "../../../src/protocol/tier.ts";

export type Random = () => number;

/** What is really there. */
export interface Truth {
  readonly gpus: readonly TierGpu[];
  /** Of one device: what it computes and reads per second, and what it can hold. */
  readonly operationsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly memoryBytes: number;
}

export type Behaviour =
  /** Computes all of it, and again what did not fit into its memory. */
  | { readonly kind: "compute" }
  /** Computes this part of the columns, and makes up the rest. */
  | { readonly kind: "part"; readonly share: number }
  /** Answers what was right for another seed. */
  | { readonly kind: "replay" }
  | { readonly kind: "silent" }
  | { readonly kind: "decline"; readonly reason: string };

export interface Machine {
  readonly name: string;
  readonly scenario: string;
  readonly truth: Truth;
  /** Undefined: there is no nvidia-smi. */
  readonly document: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity: Readonly<Record<string, string>>;
  readonly behaviour: Behaviour;
  readonly createdAt: string;
  readonly tierOverride?: "High" | "Mid" | "Low";
  /** What it writes into its WorkerNode's status as the level, whatever its agent decides. */
  readonly writesLevel?: "Challenged" | "Attested";
  readonly banned?: boolean;
}

const v11: Driver = { generation: 11, version: "470.256.02", cuda: "11.4" };
const v12: Driver = { generation: 12, version: "550.127.08", cuda: "12.4" };
const v13: Driver = { generation: 13, version: "580.65.06", cuda: "13.0" };
const drivers = [v11, v12, v13] as const;

/** Rates as published, in 10^12 operations and 10^9 bytes per second. */
const rates = new Map<GpuModel, readonly [number, number]>([
  [a100Sxm80, [19.5, 1_935]],
  [l4, [30.3, 300]],
  [p4, [5.5, 192]],
  [rtx4070, [29.1, 504]],
]);
export const gpuModels = [a100Sxm80, l4, p4, rtx4070] as const;

export interface Claim {
  readonly model: GpuModel;
  readonly count: number;
}

export function claimGpus(name: string, { model, count }: Claim, random: Random) {
  const driver = drivers[Math.floor(random() * drivers.length)] ?? v12;
  const plan = { name, zone: "a", cpus: 16, memoryGi: 64, model, gpus: count, driver };
  const { labels, capacity, nvidiaSmiDocument = "" } = buildGpuNode(plan);
  const document = nvidiaSmiDocument.replace(/\t<inferium_simulated>true<\/inferium_simulated>\n/, "");
  return { document, labels, capacity };
}

export function claimNothing(name: string) {
  const { labels, capacity } = buildCpuNode({ name, zone: "a", cpus: 16, memoryGi: 64 });
  return { document: undefined, labels, capacity };
}

/** @param pace how near a machine comes to what is published: heat, other work, an old board */
export function realGpus({ model, count }: Claim, pace: number): Truth {
  const [teraflops = 1, gigabytes = 100] = rates.get(model) ?? [];
  const gpu = { memoryMiB: model.memoryMiB, computeCapability: model.computeCapability };
  return {
    gpus: Array.from({ length: count }, () => gpu),
    operationsPerSecond: teraflops * 1e12 * pace,
    bytesPerSecond: gigabytes * 1e9 * pace,
    memoryBytes: model.memoryMiB * 2 ** 20,
  };
}

/** A server without a GPU: two sockets, with all that their vectors can do, and memory to hold anything. */
export function realCpu(teraflops: number): Truth {
  return { gpus: [], operationsPerSecond: teraflops * 1e12, bytesPerSecond: 4e11, memoryBytes: 512 * 2 ** 30 };
}

const bytesPerPassedEntry = 20 / 4;

/**
 * How long the device takes: the rounds, the passes over what it kept, and for each pass once more the rounds of what it
 * could not keep. A claim of more devices than there are is computed one part after the other.
 */
export function computeElapsedMs(truth: Truth, plan: ChallengePlan, random: Random): number {
  const devices = Math.max(1, truth.gpus.length);
  const serial = Math.ceil(plan.devices / devices);
  const operations = (countOperations(plan) / plan.devices) * serial;
  const held = countMemoryBytes(plan) / plan.devices;
  const missing = Math.max(0, 1 - (truth.memoryBytes * 0.9) / held);
  const perRound = operations / plan.rounds;
  const again = plan.passes * Math.ceil(missing * plan.kept) * perRound;
  const reading = (plan.passes * held * bytesPerPassedEntry * serial) / truth.bytesPerSecond;
  const other = 1_000 + random() * 3_000 + 500 * plan.devices;
  return Math.round(((operations + again) / truth.operationsPerSecond + reading) * 1_000 + other);
}
