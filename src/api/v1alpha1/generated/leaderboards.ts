// Generated from crds/leaderboards.yaml by `npm run generate`. Do not edit.

/**
 * What is compared, on which data, how and when. A change of what is measured ends a run in progress and begins another.
 */
export interface LeaderboardSpec {
/**
 * What the models do. Classification compares labels, Regression compares numbers.
 */
task: ("Classification" | "Regression")
/**
 * The models that are compared.
 */
models: {
/**
 * How the ranking calls it.
 */
name: string
/**
 * Where to fetch it, as a task's model.uri.
 */
uri: string
/**
 * SHA-256 of the file.
 */
digest: string
/**
 * The output that is compared with the labels, one row for each row of the input. For Classification labels as integers, or a score for each class.
 */
outputName: string
}[]
/**
 * Inputs and their labels, in shards of which each is one task.
 */
dataset: {
/**
 * Number of classes; labels are 0 to classes - 1.
 */
classes?: number
/**
 * What one is in errors of a Regression. Statistics are exact sums of errors in this unit; a row whose error is 2048 units or more cannot be counted. Default 1.
 */
unit?: number
/**
 * Parts of the dataset.
 */
shards: {
/**
 * Number of rows in this shard.
 */
rows: number
/**
 * The inputs of the models, from exactly one source, as a task's input.
 */
input: {
/**
 * A safetensors file with one tensor per input, an http, https, file or data URI.
 */
uri?: string
/**
 * SHA-256 of the file at uri.
 */
digest?: string
/**
 * A ConfigMap of the same namespace; key holds tensors as JSON, or a safetensors file in binaryData.
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
}
/**
 * The true answers.
 */
labels: {
/**
 * A ConfigMap of the same namespace; key holds one tensor called labels, as JSON or as a safetensors file in binaryData.
 */
configMapRef: {
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
 * SHA-256 of the value behind the key (of the text in data, of the bytes in binaryData).
 */
digest: string
}
}[]
}
/**
 * What is computed. The first one ranks. Precision, Recall and F1 are means over the classes.
 */
metrics: ("Accuracy" | "Precision" | "Recall" | "F1" | "MSE" | "MAE")[]
/**
 * When to run, five fields of cron in UTC such as "0 3 * * *", or @hourly, @daily, @weekly, @monthly, @yearly. Left out, it runs once for what it measures.
 */
schedule?: string
/**
 * Begins no further run. A run in progress goes on.
 */
suspend: boolean
/**
 * With a schedule, runs at once where what it measures never ran.
 */
runAtLeastOnce: boolean
/**
 * Finished runs that status.history keeps.
 */
historyLimit: number
/**
 * Finished runs whose tasks are kept, beside the newest.
 */
keepRuns: number
/**
 * Time that a run may take; models without a result by then have none in this run.
 */
deadlineSeconds: number
/**
 * How results of the models are checked. Statistics are integers and always checked bit by bit, by a panel of the same size.
 */
verification: {
/**
 * Exact compares bits, Tolerance compares values within bounds.
 */
policy: ("Exact" | "Tolerance")
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
 * What each task of a run pays in IFR, at most 18 decimals.
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
 * The tenant queue of the tasks.
 */
queue: string
/**
 * Priority of the tasks within their queue.
 */
priority: number
/**
 * Time that one attempt of a task may take.
 */
timeoutSeconds: number
}

/**
 * The newest ranking, and how runs went. Written by the operator alone.
 */
export interface LeaderboardStatus {
/**
 * Generation of the spec that this status speaks of.
 */
observedGeneration: number
/**
 * Summary for people; machines read the conditions.
 */
phase: ("Pending" | "Running" | "Ranked" | "Failed" | "Suspended")
/**
 * The models of rank 1 and the value of the first metric.
 */
leader?: string
/**
 * Runs that have finished, each counted once.
 */
runs?: number
/**
 * When the next run is due.
 */
nextRun?: string
/**
 * Ready (the newest run ranked all models), Reconciling (a run is in progress), Stalled (nothing happens until the spec is mended).
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
 * The run in progress.
 */
run?: {
/**
 * Number of the run from 1.
 */
number: number
/**
 * SHA-256 of the parts of the spec that a run measures.
 */
measured: string
/**
 * The time of the schedule that it is for.
 */
scheduledFor?: string
/**
 * When it began.
 */
startedAt: string
/**
 * Tasks that were made for it.
 */
tasks?: number
/**
 * Of those, how many are settled.
 */
settled?: number
}
/**
 * The newest run that finished.
 */
lastRun?: {
/**
 * Number of the run from 1.
 */
number: number
/**
 * SHA-256 of the parts of the spec that a run measures.
 */
measured: string
/**
 * The time of the schedule that it was for.
 */
scheduledFor?: string
/**
 * When it began.
 */
startedAt: string
/**
 * When it ended.
 */
finishedAt: string
/**
 * Succeeded ranked every model, Incomplete some, Failed none; Abandoned ended because what is measured changed.
 */
outcome: ("Succeeded" | "Incomplete" | "Failed" | "Abandoned")
/**
 * Models that it ranked.
 */
models: number
/**
 * Tasks that were made for it.
 */
tasks: number
/**
 * The models of rank 1 and the value of the first metric.
 */
leader?: string
}
/**
 * Finished runs, the newest first.
 */
history?: {
/**
 * Number of the run from 1.
 */
number: number
/**
 * SHA-256 of the parts of the spec that a run measures.
 */
measured: string
/**
 * The time of the schedule that it was for.
 */
scheduledFor?: string
/**
 * When it began.
 */
startedAt: string
/**
 * When it ended.
 */
finishedAt: string
/**
 * Succeeded ranked every model, Incomplete some, Failed none; Abandoned ended because what is measured changed.
 */
outcome: ("Succeeded" | "Incomplete" | "Failed" | "Abandoned")
/**
 * Models that it ranked.
 */
models: number
/**
 * Tasks that were made for it.
 */
tasks: number
/**
 * The models of rank 1 and the value of the first metric.
 */
leader?: string
}[]
/**
 * The ranking of the newest run that ranked a model, best first.
 */
ranking?: {
/**
 * 1 is best. Models share a rank where the data cannot tell them apart.
 */
rank: number
/**
 * Shares its rank with another.
 */
tied: boolean
/**
 * Name of the model.
 */
model: string
/**
 * SHA-256 of the model.
 */
digest: string
/**
 * Values with their intervals of 95 % confidence, as decimal numbers.
 */
metrics: {
/**
 * Name of the metric.
 */
name: string
/**
 * Its value.
 */
value: string
/**
 * Lower end of the interval.
 */
low: string
/**
 * Upper end of the interval.
 */
high: string
}[]
/**
 * Rows that were compared.
 */
rows: number
/**
 * Tasks behind it.
 */
tasks: number
/**
 * Names of the Leaderboard tasks whose outputs the values are computed from.
 */
statistics?: string[]
/**
 * Number of the run.
 */
run: number
/**
 * When the run ended.
 */
evaluatedAt: string
}[]
/**
 * Models that the newest run could not rank.
 */
unranked?: {
/**
 * Name of the model.
 */
model: string
/**
 * A word for machines.
 */
reason: string
/**
 * A sentence for people.
 */
message: string
}[]
}
