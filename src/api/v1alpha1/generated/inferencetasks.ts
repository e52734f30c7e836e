// Generated from crds/inferencetasks.yaml by `npm run generate`. Do not edit.

/**
 * What is asked. Immutable but for suspend, priority and ttlSecondsAfterFinished.
 */
export interface InferenceTaskSpec {
/**
 * Kind of work; it decides the default minimum tier (Training High, Inference and Agent Mid, Leaderboard and Benchmark Low).
 */
type: ("Inference" | "Benchmark" | "Training" | "Agent" | "Leaderboard")
/**
 * Pooled is run by a worker itself, Pod by pods that a worker (a launcher, whose WorkerNode has mode Pod) has Kubernetes place.
 */
mode: ("Pooled" | "Pod")
/**
 * Ordered minimum tier of the worker ("at least Mid"). Overrides the default of the type.
 */
tier?: ("High" | "Mid" | "Low")
/**
 * The model to run, fetched by everyone who runs or checks the task.
 */
model: {
/**
 * Where to fetch it, an http, https, file or data URI. The digest decides, not the source.
 */
uri: string
/**
 * SHA-256 of the file.
 */
digest: string
/**
 * File format; safetensors for the weights that a training begins with.
 */
format: ("onnx" | "safetensors")
}
/**
 * The input tensors, from exactly one source.
 */
input: {
/**
 * Tensors by input name.
 */
inline?: {
[k: string]: {
/**
 * Element type.
 */
dtype: ("float32" | "float64" | "float16" | "int8" | "uint8" | "int16" | "uint16" | "int32" | "uint32" | "int64" | "uint64" | "bool")
/**
 * Lengths of the axes; empty for a scalar.
 */
shape: number[]
/**
 * Elements in row-major order. For 64-bit integers beyond 2^53 use base64.
 */
data?: number[]
/**
 * Elements as little-endian bytes in base64.
 */
base64?: string
}
}
/**
 * A safetensors file with one tensor per input, an http, https, file or data URI.
 */
uri?: string
/**
 * SHA-256 of the file at uri.
 */
digest?: string
/**
 * A ConfigMap of the same namespace; key holds the JSON form of inline, or a safetensors file in binaryData.
 */
configMapRef?: {
/**
 * Name of the ConfigMap.
 */
name: string
/**
 * Key inside data or binaryData.
 */
key: string
}
/**
 * Runs the model once for each of so many calls, whose tensors are named 0/NAME, 1/NAME and so on; so are the outputs.
 */
calls?: number
/**
 * Takes count inferences of a batch, from the place from on, which are rows along axis 0 of the input tensors. Rows must not depend on each other. With parallelism they are cut into shards.
 */
items?: {
/**
 * Place of the first.
 */
from: number
/**
 * How many.
 */
count: number
/**
 * Inputs that are cut; the others are given whole to each shard. All of them where it is left out.
 */
tensors?: string[]
}
/**
 * Runs the model once per step over slices of the input, carrying recurrent state from step to step.
 */
steps?: {
/**
 * Number of steps.
 */
count: number
/**
 * Inputs that are cut into count equal slices along axis 0. The others are given whole to each step.
 */
tensors: string[]
/**
 * Outputs that become inputs of the next step.
 */
state?: {
/**
 * Name of the input.
 */
input: string
/**
 * Name of the output.
 */
output: string
}[]
}
}
/**
 * The window of an agent's calls that this task settles. Written by the operator, from what a gateway committed to; a task with calls that the operator does not know is refused. The agent's host signs for what was served, and for this window in place of code.
 */
calls?: {
/**
 * Name of the Agent in the same namespace.
 */
agent: string
/**
 * Names the window; of agent, caller, nonce and receipt key.
 */
windowId: string
/**
 * Id of the agent in the chain's AgentRevenue.
 */
agentId: string
/**
 * Whose calls these are.
 */
callerId: string
/**
 * 16 random bytes of the gateway.
 */
nonce: string
/**
 * Ed25519 key that signed the receipts of the calls.
 */
receiptKey: string
/**
 * Start of the first call in milliseconds since the epoch.
 */
firstAtMs: number
/**
 * End of the last call in milliseconds since the epoch.
 */
lastAtMs: number
/**
 * Number of calls.
 */
count: number
/**
 * Calls of these that were not answered well; they cost nothing.
 */
failed: number
/**
 * What the calls cost in all; the task's reward.
 */
revenueWei: string
/**
 * Root of the tree over all calls.
 */
root: string
/**
 * Draws the calls that are opened; chosen after the root was fixed.
 */
seed: string
/**
 * How many calls are drawn.
 */
samples: number
/**
 * What input.inline and output hold of a call. Tensors are its own. Digests is one tensor sha256 of 32 bytes, the digest of the body, for calls that nobody can run again.
 */
content: ("Tensors" | "Digests")
/**
 * The drawn calls, each with its place in the tree.
 */
opened: {
/**
 * What the receipt of the call says.
 */
leaf: {
/**
 * Place in the window.
 */
index: number
/**
 * Whether it was answered well.
 */
outcome: ("Ok" | "Failed")
/**
 * Of the canonical input.
 */
inputDigest: string
/**
 * Of the canonical output.
 */
outputDigest: string
/**
 * What it cost.
 */
priceWei: string
/**
 * Start in milliseconds since the epoch.
 */
startedAtMs: number
/**
 * End in milliseconds since the epoch.
 */
endedAtMs: number
}
/**
 * Siblings from the leaf upwards.
 */
proof: string[]
}[]
/**
 * What the callers of the drawn calls were given, in the order of the calls that were answered, named like the outputs of input.calls.
 */
output: {
[k: string]: {
/**
 * Element type.
 */
dtype: string
/**
 * Lengths of the axes.
 */
shape: number[]
/**
 * Elements in row-major order.
 */
data?: number[]
/**
 * Elements as little-endian bytes in base64.
 */
base64?: string
}
}
}
/**
 * What the worker must have beyond its tier.
 */
resources?: {
/**
 * Number of GPUs.
 */
gpus?: number
/**
 * Least memory of one GPU in MiB.
 */
memoryMiB?: number
/**
 * Least CUDA compute capability such as 8.0.
 */
computeCapability?: string
/**
 * MIG profile such as 1g.10gb.
 */
migProfile?: string
}
/**
 * Labels that the worker's Kubernetes node must have.
 */
nodeSelector?: {
[k: string]: string
}
/**
 * What the pods of mode Pod run and what they ask of Kubernetes. A pod has no service account, no volumes but scratch, and runs as non-root.
 */
template?: {
/**
 * Container image, one that the launcher allows; left out, the launcher's own, which holds the training programs.
 */
image?: string
/**
 * Replaces the image's entry point.
 */
command?: string[]
/**
 * Arguments; left out with no image, those that run the training.
 */
args?: string[]
/**
 * Variables with plain values.
 */
env?: {
/**
 * Name.
 */
name: string
/**
 * Value.
 */
value: string
}[]
/**
 * Resources that a pod asks for and is limited to, such as cpu and memory; spec.resources adds its GPUs.
 */
requests?: {
[k: string]: string
}
/**
 * ResourceClaimTemplate (DRA) in the launcher's pod namespace; a claim of it for each pod.
 */
resourceClaimTemplateName?: string
/**
 * Taints that the pods tolerate beyond those that the launcher is told.
 */
tolerations?: {
/**
 * Key of the taint; any where left out.
 */
key?: string
/**
 * How the value is compared.
 */
operator: ("Exists" | "Equal")
/**
 * Value of the taint.
 */
value?: string
/**
 * Effect of the taint; any where left out.
 */
effect?: ("NoSchedule" | "PreferNoSchedule" | "NoExecute")
}[]
/**
 * PriorityClass of the pods.
 */
priorityClassName?: string
/**
 * RuntimeClass of the pods.
 */
runtimeClassName?: string
/**
 * Node label over whose values the pods of a gang are spread evenly, such as topology.kubernetes.io/zone.
 */
spreadTopologyKey?: string
/**
 * LocalQueue of Kueue that admits the pods; until then they wait, suspended.
 */
queueName?: string
/**
 * Pods that run together, or not at all, each with its rank.
 */
size: number
/**
 * How long pods may wait to be placed and started before all of them are taken back.
 */
startTimeoutSeconds: number
}
/**
 * What is trained. The model names the weights to begin with, the input the data. The result is bound by digest: output `checkpoints` holds the digest of every checkpoint, `model` that of the trained model; both lie in the checkpoint store.
 */
training?: {
/**
 * Name of a training program of this release, which trainers and validators both have.
 */
program: string
/**
 * What the program takes beside the seed.
 */
hyperparameters: {
[k: string]: string
}
/**
 * Number of steps.
 */
steps: number
/**
 * Steps between two checkpoints; what lies between two is what a validator computes again at once.
 */
checkpointEvery: number
/**
 * Decides all that is random.
 */
seed: number
/**
 * http or https URI below which files are put and found by digest.
 */
checkpointStore: string
/**
 * How many of the slices between checkpoints each validator computes again, drawn after the receipt.
 */
sampledSlices: number
}
/**
 * How the result is checked before it is paid.
 */
verification: {
/**
 * Exact compares bits (integer models and pinned runtimes), Tolerance compares values within bounds, ZeroKnowledge has one validator of the panel prove the result and the others check the proof (integer models whose circuit is registered; the panel re-executes where there is no proof in time), None checks nothing and is accepted only where the operator allows it.
 */
policy: ("Exact" | "Tolerance" | "ZeroKnowledge" | "None")
/**
 * Size of the panel.
 */
validators: number
/**
 * Votes of one kind that decide.
 */
quorum: number
/**
 * A value passes if it is within absolute plus relative times the reference.
 */
tolerance?: {
/**
 * Absolute bound.
 */
absolute: number
/**
 * Relative bound.
 */
relative: number
}
}
/**
 * What the task pays in IFR, at most 18 decimals.
 */
reward?: string
/**
 * The address whose deposit pays.
 */
requester?: string
/**
 * The Secret of the same namespace that holds the requester's signed order in key order.json.
 */
orderRef?: {
/**
 * Name of the Secret.
 */
name: string
}
/**
 * Cuts input.items into so many contiguous shards, each a task of its own that the operator makes and any worker may take; the outputs come together in the order of the items, and each shard is paid its part of the reward.
 */
parallelism?: number
/**
 * Higher goes first among tasks of one queue.
 */
priority: number
/**
 * The tenant queue.
 */
queue: string
/**
 * Time from creation by which the task must be validated or it fails.
 */
deadlineSeconds?: number
/**
 * Time that one attempt may take.
 */
timeoutSeconds: number
/**
 * Further attempts after failures of its own, and as many after rejected results; failures of infrastructure have ten of their own.
 */
retries: number
/**
 * Deletes the task this long after it finished.
 */
ttlSecondsAfterFinished?: number
/**
 * Keeps the task out of the pool. A running attempt is not stopped.
 */
suspend: boolean
/**
 * Tasks of the same namespace that must succeed first.
 */
dependsOn?: string[]
}

/**
 * What happened. Written by the operator alone, at most four times in a task's usual life.
 */
export interface InferenceTaskStatus {
/**
 * Generation of the spec that this status speaks of.
 */
observedGeneration: number
/**
 * Summary for people; machines read the conditions.
 */
phase: ("Pending" | "Queued" | "Assigned" | "Validating" | "Settling" | "Succeeded" | "Failed" | "Rejected")
/**
 * Accepted, Queued, Assigned, Executed, Committed, Proven, Validated, Settled, Rewarded, Slashed, Disputed, Overturned; Ready, Reconciling, Stalled sum them up.
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
 * The attempt in progress, or the one that counted.
 */
assignment?: {
/**
 * Name of the WorkerNode.
 */
worker: string
/**
 * Address of the worker.
 */
address: string
/**
 * Number of the attempt from 1.
 */
attempt: number
/**
 * When the worker claimed it.
 */
claimedAt: string
/**
 * When the claim lapses without a receipt.
 */
deadline: string
}
/**
 * Earlier attempts that did not count, oldest first.
 */
attempts?: {
/**
 * Number of the attempt.
 */
attempt: number
/**
 * Name of the WorkerNode.
 */
worker: string
/**
 * Owner of the worker.
 */
owner?: string
/**
 * How it ended.
 */
outcome: ("Rejected" | "Inconclusive" | "Expired" | "Failed" | "Preempted")
/**
 * A word for machines.
 */
reason?: string
/**
 * A sentence for people.
 */
message?: string
/**
 * When it ended.
 */
endedAt?: string
/**
 * Transaction that slashed the worker for it.
 */
penaltyTxHash?: string
}[]
/**
 * The worker's signed receipt (EIP-712) of the attempt that counts.
 */
receipt?: {
/**
 * The signed fields; digests as 0x-hex.
 */
message: {
/**
 * Id of the task on the chain.
 */
taskId: string
/**
 * Number of the attempt.
 */
attempt: number
/**
 * Address that signed.
 */
worker: string
/**
 * SHA-256 of the model.
 */
modelDigest: string
/**
 * Digest of the container image; zero where it is not known.
 */
imageDigest: string
/**
 * Digest of the worker's code.
 */
codeDigest: string
/**
 * SHA-256 of the canonical input.
 */
inputDigest: string
/**
 * SHA-256 of the canonical output.
 */
outputDigest: string
/**
 * What ran it.
 */
runtime: string
/**
 * Start in milliseconds since the epoch.
 */
startedAtMs: number
/**
 * End in milliseconds since the epoch.
 */
endedAtMs: number
}
/**
 * The worker's signature.
 */
signature: string
/**
 * EIP-712 digest that was signed.
 */
digest: string
}
/**
 * Where the shards of a task with parallelism stand. Written when one is claimed first, with each quarter that is done, and at the end.
 */
shards?: {
/**
 * How many there are.
 */
total: number
/**
 * Those whose result is validated, of all, such as 3/8.
 */
progress: string
/**
 * Wait for a worker.
 */
queued?: number
/**
 * Are with a worker.
 */
running?: number
/**
 * Are with a panel of validators.
 */
validating?: number
/**
 * Have a validated result.
 */
succeeded?: number
/**
 * Have used up their attempts.
 */
failed?: number
/**
 * Were given to a second worker as well, because the first took long.
 */
duplicated?: number
/**
 * What all of them were paid in wei, once all are settled.
 */
rewardWei?: string
}
/**
 * The result.
 */
output?: {
/**
 * SHA-256 of the canonical output.
 */
digest: string
/**
 * Number of inferences in it.
 */
items?: number
/**
 * Output tensors by name, up to 64 KiB.
 */
inline?: {
[k: string]: {
/**
 * Element type.
 */
dtype: string
/**
 * Lengths of the axes.
 */
shape: number[]
/**
 * Elements in row-major order.
 */
data?: number[]
/**
 * Elements as little-endian bytes in base64.
 */
base64?: string
}
}
}
/**
 * What the panel of validators decided.
 */
verdict?: {
/**
 * The decision.
 */
result: ("Accepted" | "Rejected" | "Inconclusive" | "Unverified" | "Overturned")
/**
 * Name of the Validation that holds the votes.
 */
validation?: string
/**
 * How the result was checked; Exact where a proof was asked for and the panel re-executed.
 */
policy?: string
/**
 * Votes to accept.
 */
accept?: number
/**
 * Votes to reject.
 */
reject?: number
/**
 * Validators that abstained or missed.
 */
abstain?: number
/**
 * Different owners behind the deciding votes.
 */
owners?: number
/**
 * Hash of the statement that a proof showed; part of the task's leaf on the chain.
 */
statementHash?: string
/**
 * What this verdict does not show.
 */
notProven?: string[]
}
/**
 * Where the chain records it. The proof leads from the task's leaf to the batch's root.
 */
settlement?: {
/**
 * Sequence number of the batch.
 */
batch: number
/**
 * Position in the batch.
 */
index: number
/**
 * Merkle siblings from the leaf upwards.
 */
proof?: string[]
/**
 * Transaction that settled the batch.
 */
txHash?: string
/**
 * Block of that transaction.
 */
block?: number
/**
 * What the task paid in wei.
 */
rewardWei?: string
}
}
