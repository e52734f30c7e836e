/**
 * How far one model of a run is, and its next step: Benchmark tasks for all shards, then Leaderboard tasks over their outputs, then its
 * score. Looks at the tasks alone, so that it goes on from anywhere. Effects: creates tasks.
 */
import type { ScoredModel, Unranked } from "../../protocol/leaderboard/leaderboard-status.ts";
import {
  buildBenchmark,
  buildStatistics,
  groupShards,
  type LeaderboardModel,
  nameBenchmark,
  nameStatistics,
  type RunRef,
} from "../../protocol/leaderboard/run-tasks.ts";
import { scoreModel } from "../../protocol/leaderboard/score-model.ts";
import { buildStatisticsInput } from "../../protocol/leaderboard/statistics-input.ts";
import type { TaskEntry } from "../ledger.ts";
import { mapConcurrently } from "../map-concurrently.ts";
import type { LabelReader } from "./read-labels.ts";
import { findTrouble, type LeaderboardOptions } from "./run-context.ts";
import { createRunTask, failureOf, findRunTask, isSettled, readOutputs } from "./run-task.ts";

export type ModelProgress =
  | { readonly state: "Working" }
  | { readonly state: "Scored"; readonly scored: ScoredModel }
  | { readonly state: "Failed"; readonly unranked: Unranked };

export interface ModelRun {
  readonly options: LeaderboardOptions;
  readonly run: RunRef;
  readonly labels: LabelReader;
  readonly model: LeaderboardModel;
}

const writesAtOnce = 8;
const working: ModelProgress = { state: "Working" };

export async function advanceModel(input: ModelRun): Promise<ModelProgress> {
  const failed = (trouble: { reason: string; message: string }): ModelProgress => ({
    state: "Failed",
    unranked: { model: input.model.name, ...trouble },
  });
  try {
    return await advance(input, failed);
  } catch (error) {
    const trouble = findTrouble(error);
    if (trouble) return failed(trouble);
    throw error;
  }
}

async function advance(
  input: ModelRun,
  failed: (trouble: { reason: string; message: string }) => ModelProgress,
): Promise<ModelProgress> {
  const { options, run, model } = input;
  const { spec } = run.leaderboard;
  const groups = groupShards(spec.dataset.shards);
  const find = (name: string) => findRunTask(options, run, name);
  const benchmarks = spec.dataset.shards.map((_, shard) => find(nameBenchmark(run, model.name, shard)));
  const statistics = groups.map((_, part) => find(nameStatistics(run, model.name, part)));
  const known = [...benchmarks, ...statistics].filter((entry) => entry !== undefined);
  const failure = known.map(failureOf).find((trouble) => trouble !== undefined);
  if (failure) return failed(failure);
  // 1 every shard
  const missing = benchmarks.flatMap((entry, shard) => (entry ? [] : [buildBenchmark(run, model, shard)]));
  await mapConcurrently(missing, writesAtOnce, (task) => createRunTask(options, run, task));
  const results = allOf(benchmarks);
  if (!results?.every(isSettled)) return working;
  // 2 the statistics of their outputs
  for (const [part, entry] of statistics.entries())
    if (!entry) await createStatistics(input, { part, shards: groups[part] ?? [], results });
  const sums = allOf(statistics);
  if (!sums?.every(isSettled)) return working;
  // 3 the score
  const outputs = await mapConcurrently(sums, writesAtOnce, (entry) => readOutputs(options, entry));
  const names = sums.map(({ task }) => task.metadata.name);
  const tasks = results.length + sums.length;
  return { state: "Scored", scored: { model, score: scoreModel(spec, outputs), statistics: names, tasks } };
}

function allOf(entries: readonly (TaskEntry | undefined)[]): TaskEntry[] | undefined {
  const found = entries.filter((entry) => entry !== undefined);
  return found.length === entries.length ? found : undefined;
}

interface Group {
  readonly part: number;
  readonly shards: readonly number[];
  /** Of all shards. */
  readonly results: readonly TaskEntry[];
}

async function createStatistics(
  { options, run, labels, model }: ModelRun,
  { part, shards, results }: Group,
): Promise<void> {
  const { spec } = run.leaderboard;
  const parts = await mapConcurrently(shards, writesAtOnce, async (shard) => ({
    rows: spec.dataset.shards[shard]?.rows ?? 0,
    outputs: await readOutputs(options, results[shard] as TaskEntry),
    labels: await labels(shard),
  }));
  const { shape, input } = buildStatisticsInput(spec, model.outputName, parts);
  await createRunTask(options, run, buildStatistics(run, { model: model.name, part, shape, input }));
}
