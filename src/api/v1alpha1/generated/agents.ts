// Generated from crds/agents.yaml by `npm run generate`. Do not edit.

/**
 * What is hosted, for whom and at which price.
 */
export interface AgentSpec {
/**
 * Id of the agent in the chain's AgentRevenue, which says who created it and who hosts it.
 */
agentId?: string
/**
 * What callers and the backend speak, the Open Inference Protocol v2 or the OpenAI API.
 */
protocol: ("OpenInference" | "OpenAI")
/**
 * What callers ask for, /v2/models/NAME or the model of an OpenAI request. The agent's name where left out.
 */
modelName?: string
/**
 * The model that is hosted; calls are run again with it.
 */
model: {
/**
 * Where validators fetch it, an http, https or file URI.
 */
uri: string
/**
 * SHA-256 of the file.
 */
digest: string
}
/**
 * Who hosts it.
 */
host: {
/**
 * WorkerNode whose key signs for the windows of calls and whose bond answers for them, of tier Mid at least. Its payout address must be the host that AgentRevenue names.
 */
worker: string
}
/**
 * Minimum tier of the nodes that replicas run on.
 */
tier: ("High" | "Mid" | "Low")
/**
 * A backend that speaks the protocol, such as Triton or vLLM. The built-in server of ONNX models where left out.
 */
container?: {
/**
 * Container image.
 */
image: string
/**
 * When it is pulled.
 */
imagePullPolicy: ("Always" | "IfNotPresent" | "Never")
/**
 * Entry point; the image's where left out.
 */
command?: string[]
/**
 * Arguments.
 */
args?: string[]
/**
 * Environment of the container.
 */
env?: {
/**
 * Name of the variable.
 */
name: string
/**
 * Its value.
 */
value?: string
}[]
/**
 * Path that answers 200 once it serves.
 */
readinessPath: string
/**
 * User id; the image's own, which must not be root, where left out.
 */
runAsUser?: number
}
/**
 * Port that replicas listen on.
 */
port: number
/**
 * What a replica asks for.
 */
resources?: {
/**
 * CPU request such as 500m.
 */
cpu?: string
/**
 * Memory request and limit such as 2Gi.
 */
memory?: string
/**
 * GPUs (nvidia.com/gpu).
 */
gpus: number
}
/**
 * Where replicas may run, beside the tier.
 */
placement?: {
/**
 * Labels that the node must have.
 */
nodeSelector?: {
[k: string]: string
}
/**
 * Scheduler of the pods.
 */
schedulerName?: string
/**
 * RuntimeClass of the pods.
 */
runtimeClassName?: string
/**
 * PriorityClass of the pods.
 */
priorityClassName?: string
/**
 * Taints that replicas tolerate.
 */
tolerations?: {
/**
 * Key of the taint; all where left out.
 */
key?: string
/**
 * How the value is compared.
 */
operator?: ("Exists" | "Equal")
/**
 * Value of the taint.
 */
value?: string
/**
 * Effect of the taint.
 */
effect?: ("NoSchedule" | "PreferNoSchedule" | "NoExecute")
}[]
}
/**
 * How many replicas run.
 */
replicas: {
/**
 * At least so many; suspend is for none.
 */
min: number
/**
 * At most so many.
 */
max: number
}
/**
 * What the number of replicas follows between replicas.min and replicas.max.
 */
autoscaling: {
/**
 * Calls in flight or waiting that one replica should have.
 */
targetInFlight: number
/**
 * Latency above which there should be more replicas, however few calls wait; 0 for none.
 */
targetP95Ms: number
/**
 * The need must have lasted so long before replicas are added.
 */
scaleUpSeconds: number
/**
 * The need must have been lower for so long before replicas are removed.
 */
scaleDownSeconds: number
}
/**
 * Time that calls in flight get to finish where a replica ends or the agent is deleted.
 */
drainSeconds: number
/**
 * Takes no calls and runs no replicas.
 */
suspend: boolean
/**
 * What one answered call costs in IFR.
 */
price: string
/**
 * Whether calls need no key.
 */
anyone: boolean
/**
 * Who may call.
 */
callers: {
/**
 * Name of the caller within the agent.
 */
id: string
/**
 * The Secret of the same namespace that holds the caller's bearer key.
 */
keyRef: {
/**
 * Name of the Secret.
 */
name: string
/**
 * Key inside it.
 */
key: string
}
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
 * What its calls may cost in all, in IFR, beside the bounds of its order; no bound of its own where left out.
 */
budget?: string
/**
 * Its own rate, where lower than limits.requestsPerSecond.
 */
requestsPerSecond?: number
}[]
/**
 * What the gateway lets one caller do.
 */
limits: {
/**
 * Calls of one caller per second.
 */
requestsPerSecond: number
/**
 * Calls of one caller at once.
 */
burst: number
/**
 * Size of a request.
 */
maxBodyBytes: number
/**
 * Time for one call.
 */
timeoutMs: number
/**
 * Calls that may wait for a replica.
 */
queue: number
/**
 * Calls of one replica at once; the gateway's own default where left out.
 */
concurrency?: number
}
/**
 * How windows of calls are checked before they are paid.
 */
verification: {
/**
 * Exact compares bits, Tolerance compares values within bounds, None checks nothing and is accepted only where the operator allows it.
 */
policy: ("Exact" | "Tolerance" | "None")
/**
 * Size of the panel.
 */
validators: number
/**
 * Votes of one kind that decide.
 */
quorum: number
/**
 * Calls of a window that are opened and run again, beside those that failed.
 */
samples: number
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
}

/**
 * What happened. Written by the operator alone.
 */
export interface AgentStatus {
/**
 * Generation of the spec that this status speaks of.
 */
observedGeneration: number
/**
 * Accepted (spec, callers and chain fit together), Available (a replica is ready), Ready, Reconciling, Stalled.
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
 * Replicas that take calls.
 */
readyReplicas?: number
/**
 * Replicas that there should be.
 */
desiredReplicas?: number
/**
 * When the number of replicas last changed.
 */
lastScaleTime?: string
/**
 * How the chain splits the revenue, in basis points, and between whom.
 */
shares?: {
/**
 * Address of the creator.
 */
creator?: string
/**
 * Address of the host.
 */
host?: string
/**
 * Share of the creator.
 */
creatorBps?: number
/**
 * Share of the host.
 */
hostBps?: number
/**
 * Share of the validators that voted.
 */
validatorsBps?: number
/**
 * Share of the treasury.
 */
treasuryBps?: number
}
/**
 * What gateways reported last; written when the number of replicas changes, or anything else does.
 */
load?: {
/**
 * Calls in flight.
 */
inFlight?: number
/**
 * Calls that wait.
 */
queued?: number
/**
 * Latency that one call in twenty exceeds.
 */
p95Ms?: number
}
/**
 * What gateways committed to, and what became of it.
 */
calls?: {
/**
 * Calls in all windows.
 */
count?: number
/**
 * Calls of these that were not answered well.
 */
failed?: number
/**
 * Windows of calls.
 */
windows?: number
/**
 * Windows whose task is settled.
 */
settledWindows?: number
/**
 * Windows that are never paid: rejected, failed or refused.
 */
lostWindows?: number
/**
 * What all windows cost, in IFR.
 */
revenueIfr?: string
/**
 * What is settled of it, in IFR.
 */
settledIfr?: string
}
/**
 * The same for each caller with a budget or revenue.
 */
callers?: {
/**
 * Name of the caller.
 */
id: string
/**
 * Calls in its windows.
 */
calls?: number
/**
 * What its windows cost that are settled or may still be.
 */
spentIfr?: string
/**
 * Why it cannot call now, where it cannot.
 */
problem?: string
}[]
}
