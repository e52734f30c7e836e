// Generated from crds/workernodes.yaml by `npm run generate`. Do not edit.

/**
 * Who it is and what it offers.
 */
export interface WorkerNodeSpec {
/**
 * Kubernetes node it runs on.
 */
nodeName?: string
/**
 * It runs in another cluster and joins outbound.
 */
remote: boolean
/**
 * The address whose key signs its receipts and attestations.
 */
address: string
/**
 * What it does.
 */
role: ("Worker" | "Validator" | "Both")
/**
 * Which tasks it takes: Pooled, that it runs itself, or Pod, that it has Kubernetes run.
 */
mode: ("Pooled" | "Pod")
/**
 * Address that owns it and is paid.
 */
owner?: string
/**
 * Tasks it may run at once.
 */
slots: number
/**
 * Takes no further work.
 */
cordoned: boolean
/**
 * Lowers the tier; a tier above the proven one has no effect.
 */
tierOverride?: ("High" | "Mid" | "Low")
}

/**
 * What is known of it. The agent writes hardware, capability and tier; the operator writes the rest, and counts what it proved itself.
 */
export interface WorkerNodeStatus {
/**
 * Generation of the spec that this status speaks of.
 */
observedGeneration: number
/**
 * Ready, Bonded, CapabilityProven, Disqualified.
 */
conditions?: {
/**
 * Name of the condition.
 */
type: string
/**
 * Whether it holds.
 */
status: ("True" | "False" | "Unknown")
/**
 * Generation it was computed from.
 */
observedGeneration?: number
/**
 * When status last changed.
 */
lastTransitionTime: string
/**
 * A word for machines.
 */
reason: string
/**
 * A sentence for people.
 */
message: string
}[]
/**
 * What nvidia-smi reported on the node.
 */
hardware?: {
/**
 * Where the reading comes from.
 */
source: ("NvidiaSmi" | "NodeLabels" | "None")
/**
 * The reading is a recording that is played back and no such hardware is here.
 */
simulated: boolean
/**
 * One line for people.
 */
summary?: string
/**
 * What speaks against the reading, and faults of GPUs; absent where nothing does.
 */
problems?: string[]
/**
 * NVIDIA driver.
 */
driverVersion?: string
/**
 * CUDA version that the driver supports.
 */
cudaVersion?: string
/**
 * When it was read.
 */
readAt?: string
/**
 * The GPUs.
 */
gpus: {
/**
 * UUID of the GPU.
 */
uuid: string
/**
 * Product name.
 */
product: string
/**
 * Architecture name.
 */
architecture?: string
/**
 * Memory in MiB.
 */
memoryMiB: number
/**
 * The most memory that one task can have of it: the GPU, its largest MIG instance, or a replica's share.
 */
unitMemoryMiB?: number
/**
 * Memory in use in MiB.
 */
memoryUsedMiB?: number
/**
 * CUDA compute capability.
 */
computeCapability?: string
/**
 * No uncorrected memory errors and no row-remapping failure.
 */
healthy?: boolean
/**
 * Multi-instance GPU is on.
 */
migEnabled?: boolean
/**
 * Profiles of its instances.
 */
migProfiles?: string[]
}[]
}
/**
 * How far the hardware is proven.
 */
capability?: {
/**
 * Step of the ladder.
 */
level: ("Declared" | "Inspected" | "Challenged" | "Attested")
/**
 * Measured score, larger is faster.
 */
score?: number
/**
 * When it was proven.
 */
provenAt?: string
/**
 * When it must be proven again.
 */
expiresAt?: string
}
/**
 * Tier that the hardware reaches as its node's sources have it. What it is matched by is proven.tier.
 */
tier?: ("High" | "Mid" | "Low")
/**
 * What the operator counts of its capability, and matches it by. Written by the operator alone.
 */
proven?: {
/**
 * Highest step of the ladder that holds.
 */
level: ("Declared" | "Inspected" | "Challenged" | "Attested")
/**
 * Tier that tasks meet; absent where it is given no work.
 */
tier?: ("High" | "Mid" | "Low")
/**
 * Arithmetic that the last challenge showed over its whole time, in 10^12 operations per second.
 */
score?: number
/**
 * When the last challenge was passed.
 */
provenAt?: string
/**
 * When it no longer counts.
 */
expiresAt?: string
/**
 * The last challenge that counts; one that was failed stands whatever hardware is claimed next.
 */
challenge?: {
/**
 * What came of it.
 */
outcome: ("Passed" | "Failed" | "Wrong")
/**
 * What the hardware was challenged as.
 */
claim: string
/**
 * When it ended.
 */
at: string
/**
 * From handing out to the answer, as the operator measured it.
 */
elapsedMs?: number
/**
 * Time that the claim allows.
 */
limitMs?: number
/**
 * Memory that was to be held at once.
 */
memoryMiB?: number
/**
 * Execution provider, as the worker says.
 */
provider?: string
/**
 * Addresses of the validators that checked it.
 */
validators?: string[]
/**
 * A sentence for people.
 */
message?: string
}
}
/**
 * Its bond as the chain has it.
 */
bond?: {
/**
 * Stake in wei.
 */
stakeWei: string
/**
 * State in the registry.
 */
state: ("None" | "Active" | "Underbonded" | "Unbonding" | "Disqualified")
}
/**
 * Its record, decayed.
 */
reputation?: {
/**
 * Expected success between 0 and 1, four decimals.
 */
score?: string
/**
 * Results that were accepted.
 */
completed?: number
/**
 * Attempts that failed or expired.
 */
failed?: number
/**
 * Results that validators rejected.
 */
rejected?: number
/**
 * When it last changed.
 */
lastUpdated?: string
}
/**
 * What the chain credited, paid and took, in wei.
 */
earnings?: {
/**
 * Credited by settled batches.
 */
creditedWei?: string
/**
 * Credited by final batches: less what is paid, it can be claimed.
 */
finalWei?: string
/**
 * Claimed and paid out.
 */
paidWei?: string
/**
 * Slashed from its bond.
 */
slashedWei?: string
}
/**
 * Tasks it runs now.
 */
active?: number
/**
 * Digests of models that it keeps loaded.
 */
models?: string[]
/**
 * Last sign of life, to the minute.
 */
lastHeartbeat?: string
}
