import { expect, test } from "vitest";
import { rankModels } from "../../../../src/protocol/leaderboard/rank-models.ts";
import type { MetricName } from "../../../../src/protocol/metrics/metric-value.ts";

const model = (name: MetricName, value: number, half: number) => ({
  name,
  value,
  low: value - half,
  high: value + half,
});
const ranks = (models: readonly ReturnType<typeof model>[]) =>
  rankModels(models, (one) => one).map(({ item, rank, tied }) => [item.value, rank, tied]);

test.each([
  {
    name: "more is better, and who is apart has a rank of its own",
    models: [model("Accuracy", 0.7, 0.01), model("Accuracy", 0.9, 0.01), model("Accuracy", 0.8, 0.01)],
    want: [
      [0.9, 1, false],
      [0.8, 2, false],
      [0.7, 3, false],
    ],
  },
  {
    name: "of errors less is better",
    models: [model("MSE", 7, 1), model("MSE", 2, 1)],
    want: [
      [2, 1, false],
      [7, 2, false],
    ],
  },
  {
    name: "overlapping intervals share a rank, and the next rank counts them all",
    models: [model("Accuracy", 0.9, 0.02), model("Accuracy", 0.89, 0.02), model("Accuracy", 0.5, 0.02)],
    want: [
      [0.9, 1, true],
      [0.89, 1, true],
      [0.5, 3, false],
    ],
  },
  {
    name: "a rank is shared with its first model only: overlap does not go on from one to the next",
    models: [model("Accuracy", 0.9, 0.02), model("Accuracy", 0.87, 0.02), model("Accuracy", 0.84, 0.02)],
    want: [
      [0.9, 1, true],
      [0.87, 1, true],
      [0.84, 3, false],
    ],
  },
  { name: "nothing is ranked where there is nothing", models: [], want: [] },
])("$name", ({ models, want }) => {
  expect(ranks(models)).toEqual(want);
});
