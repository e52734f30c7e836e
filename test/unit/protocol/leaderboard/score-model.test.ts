import { describe, expect, test } from "vitest";
import type { LeaderboardSpec } from "../../../../src/api/v1alpha1/generated/leaderboards.ts";
import { scoreModel } from "../../../../src/protocol/leaderboard/score-model.ts";
import { tensorFrom } from "../../../../src/protocol/tensors/elements.ts";

type What = Pick<LeaderboardSpec, "task" | "dataset" | "metrics">;
const what = (task: What["task"], rows: number, change: object, metrics: What["metrics"]) =>
  ({ task, metrics, dataset: { shards: [{ rows }], ...change } }) as What;

const half = 2n ** 39n;
/** Sums of errors: whole parts and halves of the first, second and fourth powers. */
const errors = (whole: bigint[], halves: bigint[], rows: bigint, outside = 0n) =>
  new Map([
    ["whole", tensorFrom("int64", [3], whole)],
    [
      "fraction",
      tensorFrom(
        "int64",
        [3],
        halves.map((count) => count * half),
      ),
    ],
    ["rows", tensorFrom("int64", [1], [rows])],
    ["outside", tensorFrom("int64", [1], [outside])],
  ]);
const confusion = (cells: bigint[], support: bigint[]) =>
  new Map([
    ["confusion", tensorFrom("int64", [2, 2], cells)],
    ["support", tensorFrom("int64", [2], support)],
  ]);

describe("a model's score", () => {
  test("adds up the parts of a classification", () => {
    const parts = [confusion([3n, 1n, 0n, 2n], [4n, 2n]), confusion([1n, 0n, 1n, 2n], [1n, 3n])];
    const { rows, metrics } = scoreModel(what("Classification", 10, { classes: 2 }, ["Accuracy"]), parts);
    expect([rows, metrics[0]?.name, metrics[0]?.value]).toEqual([10, "Accuracy", 0.8]);
  });

  test("adds up the parts of a regression, in the unit of its errors", () => {
    const parts = [errors([2n, 5n, 17n], [1n, 0n, 0n], 2n), errors([1n, 1n, 1n], [1n, 0n, 0n], 2n)];
    const { rows, metrics } = scoreModel(what("Regression", 4, { unit: 10 }, ["MAE", "MSE"]), parts);
    expect(rows).toBe(4);
    expect(metrics.map(({ name, value }) => [name, value])).toEqual([
      ["MAE", 10],
      ["MSE", 150],
    ]);
  });

  test("is refused where answers could not be counted, or the statistics are of other rows", () => {
    const outside = () => scoreModel(what("Regression", 3, {}, ["MSE"]), [errors([1n, 1n, 1n], [0n, 0n, 0n], 2n, 1n)]);
    expect(outside).toThrow(
      expect.objectContaining({ code: "ErrorsOutside", message: expect.stringMatching(/1 of 3/) }),
    );
    const others = () =>
      scoreModel(what("Classification", 11, { classes: 2 }, ["F1"]), [confusion([3n, 1n, 0n, 2n], [4n, 2n])]);
    expect(others).toThrow(/speak of 6 rows; the dataset has 11/);
  });
});
