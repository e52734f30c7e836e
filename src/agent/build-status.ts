/** The part of a WorkerNode's status that the agent owns: hardware, capability and tier. Pure. */
import type { WorkerNodeSpec, WorkerNodeStatus } from "../api/v1alpha1/generated/workernodes.ts";
import { applyTierOverride } from "../protocol/tier.ts";
import { type Capability, findComputeCapability, isHealthy, type Observation } from "./decide-capability.ts";
import type { NodeFacts } from "./node-facts.ts";
import type { GpuReading, HardwareReading } from "./nvidia-smi/reading.ts";
import { summarizeHardware } from "./summarize-hardware.ts";

export type HardwareStatus = NonNullable<WorkerNodeStatus["hardware"]>;
export type AgentStatus = Required<Pick<WorkerNodeStatus, "hardware" | "capability" | "tier">>;

export interface StatusInput {
  readonly observation: Observation;
  readonly capability: Capability;
  readonly facts: NodeFacts;
  /** The agent was told that this machine's hardware is simulated. */
  readonly simulated: boolean;
  /** RFC 3339. */
  readonly now: string;
}

/** @param old what the agent wrote before, whose times are kept where their cause did not change */
export function buildStatus(input: StatusInput, spec: Pick<WorkerNodeSpec, "tierOverride">, old?: WorkerNodeStatus) {
  const { level, tier } = input.capability;
  const provenAt = old?.capability?.level === level ? old.capability.provenAt : undefined;
  const status: AgentStatus = {
    hardware: buildHardware(input),
    capability: { level, ...(level === "Inspected" ? { provenAt: provenAt ?? input.now } : {}) },
    tier: applyTierOverride(tier, spec.tierOverride),
  };
  return status;
}

/**
 * Whether `next` says something new. The time of the reading and the memory in use change all the time and mean nothing
 * here, so they alone cause no write; they are in the metrics.
 */
export function isNews(old: WorkerNodeStatus | undefined, next: AgentStatus): boolean {
  if (old?.hardware === undefined || old.capability === undefined || old.tier === undefined) return true;
  return (
    settle(old.hardware, old.capability.level, old.tier) !== settle(next.hardware, next.capability.level, next.tier)
  );
}

function settle(hardware: HardwareStatus, level: string, tier: string): string {
  const { readAt, gpus, ...rest } = hardware;
  const facts = gpus.map(({ memoryUsedMiB, ...gpu }) => sorted(gpu));
  return JSON.stringify([level, tier, sorted(rest), facts]);
}

/** The server gives fields back in an order of its own. */
function sorted(object: object): unknown[] {
  return Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
}

export function isSimulated({ observation, simulated }: Pick<StatusInput, "observation" | "simulated">): boolean {
  return simulated || (observation.kind === "Read" && observation.reading.simulated);
}

function buildHardware(input: StatusInput): HardwareStatus {
  const reading = input.observation.kind === "Read" ? input.observation.reading : undefined;
  const simulated = isSimulated(input);
  return {
    source: reading ? "NvidiaSmi" : input.facts.otherGpus ? "NodeLabels" : "None",
    simulated,
    summary: summarizeHardware(input, simulated),
    ...listProblems(input),
    readAt: input.now,
    ...(reading ? buildVersions(reading) : {}),
    gpus: (reading?.gpus ?? []).map((gpu) => buildGpu(gpu, input.facts)),
  };
}

/** As many and as long as the API takes. */
const maxProblems = 16;
const maxProblemLength = 256;

function listProblems({ capability, observation, facts }: StatusInput): Pick<HardwareStatus, "problems"> {
  const gpus = observation.kind === "Read" ? observation.reading.gpus : [];
  const faults = gpus.flatMap(({ uuid, faults: own }) => own.map((fault) => `${uuid}: ${fault}`));
  const all = [...capability.objections, ...faults, ...facts.faults];
  if (all.length === 0) return {};
  return { problems: all.slice(0, maxProblems).map((problem) => problem.slice(0, maxProblemLength)) };
}

function buildVersions({ driverVersion, cudaVersion }: HardwareReading) {
  return {
    ...(driverVersion === undefined ? {} : { driverVersion }),
    ...(cudaVersion === undefined ? {} : { cudaVersion }),
  };
}

function buildGpu(gpu: GpuReading, facts: NodeFacts): HardwareStatus["gpus"][number] {
  const computeCapability = findComputeCapability(gpu, facts);
  const profiles = gpu.migInstances.map(({ profile, memoryMiB }) => profile ?? `${memoryMiB}MiB`);
  return {
    uuid: gpu.uuid,
    product: gpu.product,
    memoryMiB: gpu.memoryMiB,
    unitMemoryMiB: computeUnitMemory(gpu, facts),
    healthy: isHealthy(gpu, facts),
    migEnabled: gpu.migEnabled,
    ...(gpu.architecture === undefined ? {} : { architecture: gpu.architecture }),
    ...(gpu.memoryUsedMiB === undefined ? {} : { memoryUsedMiB: gpu.memoryUsedMiB }),
    ...(computeCapability === undefined ? {} : { computeCapability }),
    // No GPU has more than seven instances of up to seven compute instances each; the API takes 16 names.
    ...(profiles.length === 0 ? {} : { migProfiles: profiles.slice(0, 16) }),
  };
}

/** The most that one task can have of it: the GPU, its largest instance, or a replica's share. */
function computeUnitMemory(gpu: GpuReading, { discovery }: NodeFacts): number {
  const units = gpu.migEnabled ? gpu.migInstances.map(({ memoryMiB }) => memoryMiB) : [gpu.memoryMiB];
  return Math.floor(Math.max(0, ...units) / Math.max(1, discovery.replicas ?? 1));
}
