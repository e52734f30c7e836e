/** A model's metrics from the outputs of its Leaderboard tasks. The operator computes no more than this. Pure. */
import type { LeaderboardSpec } from "../../api/v1alpha1/generated/leaderboards.ts";
import { InferiumError } from "../../base/errors.ts";
import {
  addConfusions,
  type ClassificationMetric,
  computeClassification,
  countRows,
  readConfusion,
} from "../metrics/classification.ts";
import type { MetricValue } from "../metrics/metric-value.ts";
import { addErrorSums, computeRegression, type RegressionMetric, readErrorSums } from "../metrics/regression.ts";
import { largestError } from "../metrics/statistics-graph.ts";
import type { NamedTensors } from "../tensors/tensor.ts";

export interface Score {
  /** In the order in which they were asked for. */
  readonly metrics: readonly MetricValue[];
  readonly rows: number;
}

/** @throws InferiumError MissingTensor, InvalidStatistics, ErrorsOutside */
export function scoreModel(
  { task, dataset, metrics }: Pick<LeaderboardSpec, "task" | "dataset" | "metrics">,
  statistics: readonly NamedTensors[],
): Score {
  const rows = dataset.shards.reduce((sum, shard) => sum + shard.rows, 0);
  if (task === "Classification") {
    const confusion = addConfusions(statistics.map((outputs) => readConfusion(outputs, dataset.classes ?? 0)));
    checkRows(countRows(confusion), rows);
    return { rows, metrics: metrics.map((name) => computeClassification(confusion, name as ClassificationMetric)) };
  }
  const sums = addErrorSums(statistics.map(readErrorSums));
  checkRows(sums.rows + sums.outside, rows);
  const unit = dataset.unit ?? 1;
  if (sums.outside > 0) {
    const message = `${sums.outside} of ${rows} answers are ${largestError * unit} or more off, or no numbers; mend the model, or give a larger dataset.unit.`;
    throw new InferiumError("ErrorsOutside", message);
  }
  return { rows, metrics: metrics.map((name) => computeRegression(sums, name as RegressionMetric, unit)) };
}

function checkRows(got: number, want: number): void {
  if (got === want) return;
  throw new InferiumError("InvalidStatistics", `The statistics speak of ${got} rows; the dataset has ${want}.`);
}
