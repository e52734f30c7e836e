/** Why a task is where it is: its stages, attempts, votes, verdict and settlement, in the order in which they happen. Pure. */
import { type Condition, taskConditions } from "../api/v1alpha1/conditions.ts";
import type { Attempt, InferenceTask, Validation } from "../api/v1alpha1/types.ts";
import { type ShardRow, shardHeader, toShardCells, viewShards } from "./shard-view.ts";
import { formatTable } from "./table.ts";
import { phaseOf, summaryOf } from "./task-summary.ts";
import { type TrainingView, viewTraining } from "./training-view.ts";

export interface TaskExplanation {
  readonly namespace: string;
  readonly name: string;
  readonly phase: string;
  /** One sentence: what it waits for, or how it ended. */
  readonly why: string;
  readonly stages: readonly Condition[];
  readonly attempts: readonly Attempt[];
  readonly votes: readonly VoteView[];
  readonly verdict?: NonNullable<InferenceTask["status"]>["verdict"];
  readonly settlement?: NonNullable<InferenceTask["status"]>["settlement"];
  readonly training?: TrainingView;
  /** Of a batch with parallelism, in the order of the items. */
  readonly shards?: readonly ShardRow[];
}

export interface VoteView {
  readonly validator: string;
  readonly state: string;
  /** Accept, Reject or Abstain, once it is revealed. */
  readonly vote?: string;
  readonly message?: string;
}

/** @param validation the one that judges the task, where there is one @param shards tasks of a batch's shards */
export function explainTask(
  task: InferenceTask,
  validation?: Validation,
  shards: readonly InferenceTask[] = [],
): TaskExplanation {
  const { status, metadata } = task;
  const training = viewTraining(task);
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    phase: phaseOf(task),
    why: explainWhy(task),
    stages: orderStages(status?.conditions ?? []),
    attempts: status?.attempts ?? [],
    votes: validation ? viewVotes(task, validation) : [],
    ...(status?.verdict ? { verdict: status.verdict } : {}),
    ...(status?.settlement ? { settlement: status.settlement } : {}),
    ...(training ? { training } : {}),
    ...(shards.length > 0 ? { shards: viewShards(shards) } : {}),
  };
}

function explainWhy(task: InferenceTask): string {
  const summary = summaryOf(task);
  if (summary !== undefined) return summary;
  if (task.spec.suspend) return "It is suspended: set spec.suspend to false.";
  return "No operator has taken it up yet: it waits to be picked up, or no operator runs.";
}

function orderStages(conditions: readonly Condition[]): Condition[] {
  const stages = taskConditions.filter((type) => !["Ready", "Reconciling", "Stalled"].includes(type));
  return stages.flatMap((type) => conditions.find((condition) => condition.type === type) ?? []);
}

/** Votes stand in the order of the receipts, of which this task's is one. */
function viewVotes(task: InferenceTask, { spec, status }: Validation): VoteView[] {
  const position = spec.receipts.findIndex(({ uid }) => uid === task.metadata.uid);
  if (position < 0) return [];
  return spec.validators.map(({ name, address }) => {
    const found = status?.validators?.find((validator) => validator.address.toLowerCase() === address.toLowerCase());
    const vote = found?.votes?.[position];
    return {
      validator: name,
      state: found?.state ?? "Pending",
      ...(vote === undefined ? {} : { vote }),
      ...(found?.message === undefined ? {} : { message: found.message }),
    };
  });
}

export function formatExplanation(explanation: TaskExplanation): string[] {
  const { namespace, name, phase, why } = explanation;
  return [
    `${namespace}/${name} is ${phase}.`,
    why,
    ...section("Stages", ["STAGE", "STATUS", "SINCE", "REASON", "MESSAGE"], explanation.stages.map(toStageRow)),
    ...section("Shards", shardHeader, (explanation.shards ?? []).map(toShardCells)),
    ...section("Attempts that did not count", attemptHeader, explanation.attempts.map(toAttemptRow)),
    ...section("Votes", ["VALIDATOR", "STATE", "VOTE", "MESSAGE"], explanation.votes.map(toVoteRow)),
    ...formatEnd(explanation),
  ];
}

const attemptHeader = ["ATTEMPT", "WORKER", "OUTCOME", "REASON", "PENALTY", "MESSAGE"];

function section(title: string, header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  return ["", `${title}:`, ...formatTable(header, rows).map((line) => `  ${line}`)];
}

function toStageRow({ type, status, lastTransitionTime, reason, message }: Condition): string[] {
  return [type, status, lastTransitionTime, reason, message];
}

function toAttemptRow({ attempt, worker, outcome, reason, penaltyTxHash, message }: Attempt): string[] {
  return [String(attempt), worker, outcome, reason ?? "-", penaltyTxHash ?? "-", message ?? "-"];
}

function toVoteRow({ validator, state, vote, message }: VoteView): string[] {
  return [validator, state, vote ?? "-", message ?? "-"];
}

/** A batch has a verdict for each of its shards. */
function describeVotes({ accept, reject }: NonNullable<TaskExplanation["verdict"]>): string {
  return accept === undefined && reject === undefined ? "" : ` (${accept ?? 0} accept, ${reject ?? 0} reject)`;
}

function formatEnd({ verdict, settlement, training }: TaskExplanation): string[] {
  const notProven = verdict?.notProven ?? [];
  return [
    ...(verdict ? ["", `Verdict: ${verdict.result}${describeVotes(verdict)}`] : []),
    ...notProven.map((what) => `  not proven: ${what}`),
    ...(settlement
      ? [
          "",
          `Settlement: batch ${settlement.batch}, position ${settlement.index}, transaction ${settlement.txHash ?? "unknown"}`,
          ...(settlement.rewardWei === undefined ? [] : [`  paid: ${settlement.rewardWei} wei`]),
        ]
      : []),
    ...(training
      ? [
          "",
          `Trained by ${training.program} in ${training.checkpoints} slices: ${training.model.uri} (${training.model.digest})`,
        ]
      : []),
  ];
}
