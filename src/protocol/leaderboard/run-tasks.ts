/**
 * The tasks of a run: a Benchmark task for every model and shard, and Leaderboard tasks that compute statistics of a model's outputs.
 * Their names say what they are for, so that whoever makes them again after a restart makes no second one. Pure.
 */
import type { LeaderboardSpec } from "../../api/v1alpha1/generated/leaderboards.ts";
import { labels } from "../../api/v1alpha1/labels.ts";
import { apiVersion } from "../../api/v1alpha1/meta.ts";
import type { InferenceTask, Leaderboard, TaskType } from "../../api/v1alpha1/types.ts";
import { buildStatisticsModel, type StatisticsShape } from "../metrics/statistics-graph.ts";
import { tensorsToJson } from "../tensors/json.ts";
import type { NamedTensors } from "../tensors/tensor.ts";

export type LeaderboardModel = LeaderboardSpec["models"][number];
export type Shard = LeaderboardSpec["dataset"]["shards"][number];

/** A task as it is created: fields with a default may be left out. */
export type TaskManifest = Pick<InferenceTask, "apiVersion" | "kind" | "metadata"> & {
  readonly spec: Partial<InferenceTask["spec"]>;
};

export interface RunRef {
  readonly leaderboard: Leaderboard;
  readonly number: number;
}

export function nameBenchmark({ leaderboard, number }: RunRef, model: string, shard: number): string {
  return `${leaderboard.metadata.name}-r${number}-${model}-s${shard}`;
}

export function nameStatistics({ leaderboard, number }: RunRef, model: string, part: number): string {
  return `${leaderboard.metadata.name}-r${number}-${model}-stats${part}`;
}

/** A receipt carries 64 KiB of outputs, a task 1,000,000 characters of a tensor: shards whose statistics are computed together. */
const maxShards = 8;
const maxRows = 16_384;

/** Indices of shards, in order; one group for each Leaderboard task of a model. */
export function groupShards(shards: readonly Shard[]): number[][] {
  const groups: number[][] = [];
  let rows = 0;
  shards.forEach((shard, index) => {
    const group = groups.at(-1);
    if (group && group.length < maxShards && rows + shard.rows <= maxRows) {
      group.push(index);
      rows += shard.rows;
    } else {
      groups.push([index]);
      rows = shard.rows;
    }
  });
  return groups;
}

export function buildBenchmark(run: RunRef, model: LeaderboardModel, shard: number): TaskManifest {
  const { spec } = run.leaderboard;
  const name = nameBenchmark(run, model.name, shard);
  const { input } = spec.dataset.shards[shard] as Shard;
  return buildTask(run, {
    ...{ name, model: model.name, type: "Benchmark" },
    spec: {
      model: { uri: model.uri, digest: model.digest, format: "onnx" },
      input,
      verification: spec.verification,
    },
  });
}

export interface StatisticsPart {
  readonly model: string;
  readonly part: number;
  readonly shape: StatisticsShape;
  readonly input: NamedTensors;
}

export function buildStatistics(run: RunRef, { model, part, shape, input }: StatisticsPart): TaskManifest {
  const { validators, quorum } = run.leaderboard.spec.verification;
  return buildTask(run, {
    ...{ name: nameStatistics(run, model, part), model, type: "Leaderboard" },
    spec: {
      model: buildStatisticsModel(shape),
      input: { inline: toInline(input) },
      // Whatever the models' own outputs are checked by: sums of integers are the same bits everywhere.
      verification: { policy: "Exact", validators, quorum },
    },
  });
}

function toInline(tensors: NamedTensors): NonNullable<InferenceTask["spec"]["input"]["inline"]> {
  const entries = Object.entries(tensorsToJson(tensors)).map(([name, { dtype, shape, data }]) => [
    name,
    typeof data === "string" ? { dtype, shape, base64: data } : { dtype, shape, data },
  ]);
  return Object.fromEntries(entries);
}

interface TaskParts {
  readonly name: string;
  readonly model: string;
  readonly type: TaskType;
  readonly spec: Pick<TaskManifest["spec"], "model" | "input" | "verification">;
}

function buildTask({ leaderboard, number }: RunRef, { name, model, type, spec }: TaskParts): TaskManifest {
  const { metadata, spec: asked } = leaderboard;
  const { reward, requester, orderRef, queue, priority, timeoutSeconds, deadlineSeconds } = asked;
  const owner = { apiVersion, kind: "Leaderboard", name: metadata.name, uid: metadata.uid ?? "", controller: true };
  return {
    apiVersion,
    kind: "InferenceTask",
    metadata: {
      name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: {
        [labels.leaderboard]: metadata.name,
        [labels.leaderboardRun]: String(number),
        [labels.leaderboardModel]: model,
      },
      ownerReferences: [owner],
    },
    spec: {
      type,
      ...spec,
      ...(reward === undefined ? {} : { reward }),
      ...(requester === undefined ? {} : { requester }),
      ...(orderRef === undefined ? {} : { orderRef }),
      ...{ queue, priority, timeoutSeconds, deadlineSeconds },
    },
  };
}
