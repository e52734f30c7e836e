/**
 * The life of a batch as its shards have it: one status out of where all of them are. A batch is claimed, validated and settled
 * when its shards are; of the way there only quarters are told, so that many shards cost few writes. Pure.
 */
import { isConditionTrue } from "../../api/v1alpha1/conditions.ts";
import type { InferenceTaskStatus } from "../../api/v1alpha1/generated/inferencetasks.ts";
import { failTask } from "../attempts.ts";
import { explainTask, overturnTask, type TaskOutput, type TaskVerdict, unsettleTask } from "../lifecycle.ts";
import { type Because, buildStatus, type ChangeContext, summary } from "../status-change.ts";
import { stageOf } from "../task-stage.ts";
import type { CopyState } from "./decide-copy.ts";

export type ShardState = "Queued" | "Running" | "Validating" | "Succeeded" | "Failed";

export type ShardCounts = NonNullable<InferenceTaskStatus["shards"]>;

/** Where a shard is by its copies. A receipt that has arrived is judged before the other copy's result stands. */
export function shardStateOf(first: CopyState, duplicate?: CopyState): ShardState {
  const has = (state: CopyState) => first === state || duplicate === state;
  if (has("Judged")) return "Validating";
  if (has("Won")) return "Succeeded";
  if (has("Running")) return "Running";
  return first === "Lost" && duplicate !== "Waiting" ? "Failed" : "Queued";
}

export function countShards(states: readonly ShardState[], duplicated: number): ShardCounts {
  const count = (state: ShardState) => states.filter((one) => one === state).length;
  const succeeded = count("Succeeded");
  return {
    total: states.length,
    progress: `${succeeded}/${states.length}`,
    queued: count("Queued"),
    running: count("Running"),
    validating: count("Validating"),
    succeeded,
    failed: count("Failed"),
    duplicated,
  };
}

export interface BatchFacts {
  readonly counts: ShardCounts;
  /** What ends the batch. */
  readonly failure?: Because | undefined;
  /** What a shard that waits says of it. */
  readonly waiting?: Because | undefined;
  /** The outputs together, once all shards have one. */
  readonly result?: { readonly output: TaskOutput; readonly verdict: TaskVerdict } | undefined;
  /** Once all shards are settled. */
  readonly settled?: { readonly rewardWei: bigint; readonly message: string } | undefined;
}

/** Undefined where nothing is worth a write. */
export function decideBatchStatus(
  status: InferenceTaskStatus,
  facts: BatchFacts,
  context: ChangeContext,
): InferenceTaskStatus | undefined {
  const { counts, failure, result, settled } = facts;
  if (isConditionTrue(status.conditions, "Stalled")) return undefined;
  if (isConditionTrue(status.conditions, "Ready")) {
    if (failure) return overturnTask({ ...status, shards: counts }, failure, context);
    return settled ? undefined : unsettleTask({ ...status, shards: counts }, shardUnsettled, context);
  }
  if (failure) return failBatch({ ...status, shards: counts }, failure, context);
  if (stageOf(status) === "Settle") return settled && settleBatch(status, facts, context);
  if (result) {
    const joined = joinBatch(beginBatch(status, counts, context), facts, context);
    return settled ? settleBatch(joined, facts, context) : joined;
  }
  return tellProgress(status, facts, context);
}

const shardUnsettled: Because = { reason: "ShardUnsettled", message: "A shard is not settled on the chain any more." };

function failBatch(status: InferenceTaskStatus, because: Because, context: ChangeContext): InferenceTaskStatus {
  if (stageOf(status) !== "Settle") return failTask(status, because, context);
  const { reason, message } = because;
  const conditions = { Validated: ["False", reason, message], ...summary("failed", reason, message) };
  return buildStatus(status, { phase: "Rejected" }, conditions, context);
}

function beginBatch(status: InferenceTaskStatus, shards: ShardCounts, context: ChangeContext): InferenceTaskStatus {
  const message = describeCounts(shards);
  const conditions = {
    Accepted: ["True", "Admitted", "The task may be run here."],
    Queued: ["False", "Taken", "Workers have claimed shards."],
    Assigned: ["True", "ShardsClaimed", `Workers run ${shards.total} shards, each a task of its own.`],
    ...summary("working", "Running", message),
  };
  return buildStatus(status, { phase: "Assigned", shards }, conditions, context);
}

function joinBatch(
  status: InferenceTaskStatus,
  { counts, result }: BatchFacts,
  context: ChangeContext,
): InferenceTaskStatus {
  const conditions = {
    Executed: ["True", "Completed", `All ${counts.total} shards were run.`],
    Validated: [
      "True",
      "ShardsValidated",
      "Each shard's result was accepted; the outputs stand in the order of the items.",
    ],
    ...summary("working", "Settling", "The shards wait for their batches on the chain."),
  };
  return buildStatus(status, { phase: "Settling", shards: counts, ...result }, conditions, context);
}

function settleBatch(
  status: InferenceTaskStatus,
  { counts, settled }: BatchFacts,
  context: ChangeContext,
): InferenceTaskStatus {
  const { rewardWei = 0n, message = "" } = settled ?? {};
  const paid = rewardWei > 0n;
  const conditions = {
    Settled: ["True", "ShardsSettled", message],
    Rewarded: [
      "True",
      paid ? "Credited" : "NoReward",
      paid ? "Each shard's part is credited." : "The task pays nothing.",
    ],
    ...summary("ready", "Settled", message),
  };
  const shards = { ...counts, rewardWei: String(rewardWei) };
  return buildStatus(status, { phase: "Succeeded", shards }, conditions, context);
}

/** The first claim, each quarter, and a new reason why none is claimed. */
function tellProgress(
  status: InferenceTaskStatus,
  { counts, waiting }: BatchFacts,
  context: ChangeContext,
): InferenceTaskStatus | undefined {
  const isBegun = (counts.queued ?? 0) < counts.total;
  if (isBegun || stageOf(status) === "Run") {
    const isNews = stageOf(status) !== "Run" || quarterOf(counts) > quarterOf(status.shards);
    return isNews ? beginBatch(status, counts, context) : undefined;
  }
  const said = status.conditions?.find(({ type }) => type === "Queued");
  // What it was held for has passed.
  const because = waiting ?? (said?.status === "False" ? unclaimed : undefined);
  if (!because || (said?.status === "True" && said.reason === because.reason)) return undefined;
  return explainTask({ ...status, shards: counts }, because, context);
}

const unclaimed: Because = { reason: "Waiting", message: "No worker has claimed a shard yet." };

function quarterOf(counts: ShardCounts | undefined): number {
  return counts ? Math.floor(((counts.succeeded ?? 0) * 4) / counts.total) : 0;
}

/** Such as `5 of 8 shards have a validated result, 2 run, 1 waits.` */
export function describeCounts({ total, queued = 0, running = 0, validating = 0, ...rest }: ShardCounts): string {
  const { succeeded = 0, failed = 0, duplicated = 0 } = rest;
  const parts = [
    `${succeeded} of ${total} shards have a validated result`,
    ...(validating > 0 ? [`${validating} are being validated`] : []),
    ...(running > 0 ? [`${running} run`] : []),
    ...(queued > 0 ? [`${queued} wait`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(duplicated > 0 ? [`${duplicated} have two copies`] : []),
  ];
  return `${parts.join(", ")}.`;
}
