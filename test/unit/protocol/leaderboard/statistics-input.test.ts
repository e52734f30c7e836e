import { describe, expect, test } from "vitest";
import type { LeaderboardSpec } from "../../../../src/api/v1alpha1/generated/leaderboards.ts";
import { groupShards } from "../../../../src/protocol/leaderboard/run-tasks.ts";
import { buildStatisticsInput, checkLabels } from "../../../../src/protocol/leaderboard/statistics-input.ts";
import type { DType } from "../../../../src/protocol/tensors/dtype.ts";
import { tensorFrom, viewElements } from "../../../../src/protocol/tensors/elements.ts";
import { requireTensor } from "../../../../src/protocol/tensors/tensor.ts";

const classification = { task: "Classification", dataset: { classes: 3, shards: [] } } as Pick<
  LeaderboardSpec,
  "task" | "dataset"
>;
const regression = { task: "Regression", dataset: { unit: 2, shards: [] } } as Pick<
  LeaderboardSpec,
  "task" | "dataset"
>;

interface Output {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

const big = (dtype: DType, values: readonly number[]) =>
  dtype.endsWith("64") && dtype !== "float64" ? values.map(BigInt) : values;
const shard = ({ dtype, shape, values }: Output) => ({
  rows: 2,
  outputs: new Map([["label", tensorFrom(dtype, shape, big(dtype, values))]]),
  labels: tensorFrom("uint8", [2], [1, 2]),
});

describe("the input of statistics", () => {
  test("is the outputs of all shards behind each other, beside the labels and the numbers of the classes", () => {
    const shards = [
      shard({ dtype: "int64", shape: [2], values: [1, 1] }),
      shard({ dtype: "int64", shape: [2, 1], values: [0, 2] }),
    ];
    const { shape, input } = buildStatisticsInput(classification, "label", shards);
    expect(shape).toEqual({ task: "Classification", predictions: "int64", labels: "uint8", scores: false });
    expect(requireTensor(input, "predictions").shape).toEqual([4]);
    expect([...viewElements(requireTensor(input, "predictions"))]).toEqual([1n, 1n, 0n, 2n]);
    expect([...viewElements(requireTensor(input, "labels"))]).toEqual([1, 2, 1, 2]);
    expect([...viewElements(requireTensor(input, "classes"))]).toEqual([0n, 1n, 2n]);
  });

  test("takes scores, one for each class", () => {
    const scores = shard({ dtype: "float32", shape: [2, 3], values: [0, 1, 0, 1, 0, 0] });
    expect(buildStatisticsInput(classification, "label", [scores]).shape.scores).toBe(true);
  });

  test("of a regression has the unit of errors", () => {
    const { shape, input } = buildStatisticsInput(regression, "label", [
      shard({ dtype: "float32", shape: [2], values: [1, 2] }),
    ]);
    expect(shape).toMatchObject({ task: "Regression", predictions: "float32", scores: false });
    expect([...viewElements(requireTensor(input, "unit"))]).toEqual([2]);
  });

  const bad =
    (what: typeof classification, ...outputs: Output[]) =>
    () =>
      buildStatisticsInput(what, "label", outputs.map(shard));

  test.each([
    {
      name: "another number of rows",
      build: bad(classification, { dtype: "int64", shape: [3], values: [0, 1, 2] }),
      want: /int64\[3\]; expected 2 rows/,
    },
    {
      name: "labels as floats",
      build: bad(classification, { dtype: "float32", shape: [2], values: [0, 1] }),
      want: /expected labels as integers, or 3 scores a row/,
    },
    {
      name: "scores of another number of classes",
      build: bad(classification, { dtype: "float32", shape: [2, 2], values: [0, 1, 1, 0] }),
      want: /expected one label or 3 scores a row/,
    },
    {
      name: "several numbers a row of a regression",
      build: bad(regression, { dtype: "float32", shape: [2, 2], values: [0, 1, 1, 0] }),
      want: /expected one number a row/,
    },
    {
      name: "truths instead of numbers",
      build: bad(regression, { dtype: "bool", shape: [2], values: [0, 1] }),
      want: /bool\[2\]; expected numbers/,
    },
    {
      name: "shards of different types",
      build: bad(
        classification,
        { dtype: "int64", shape: [2], values: [0, 1] },
        { dtype: "int32", shape: [2], values: [0, 1] },
      ),
      want: /another type or shape in one shard than in another/,
    },
  ])("refuses $name", ({ build, want }) => {
    expect(build).toThrow(expect.objectContaining({ code: "OutputMismatch", message: expect.stringMatching(want) }));
  });

  test("refuses a model that has no such output, and names those that there are", () => {
    const shards = [shard({ dtype: "int64", shape: [2], values: [0, 1] })];
    expect(() => buildStatisticsInput(classification, "scores", shards)).toThrow(
      /no tensor "scores"; there are: label/,
    );
  });
});

describe("labels", () => {
  const check = (what: typeof classification, { dtype, shape, values }: Output) =>
    checkLabels(what, tensorFrom(dtype, shape, big(dtype, values)), { index: 4, rows: 2 });

  test("become bytes for classes and float64 for numbers, whatever they came as", () => {
    expect(check(classification, { dtype: "int64", shape: [2, 1], values: [2, 0] })).toMatchObject({
      dtype: "uint8",
      shape: [2],
    });
    expect(check(classification, { dtype: "float32", shape: [2], values: [2, 0] }).dtype).toBe("uint8");
    expect([...viewElements(check(regression, { dtype: "float32", shape: [2], values: [0.5, -1] }))]).toEqual([
      0.5, -1,
    ]);
  });

  test.each([
    {
      name: "a class too many",
      what: classification,
      dtype: "uint8",
      values: [0, 3],
      want: /row 1 has 3; expected whole numbers from 0 to 2/,
    },
    { name: "a negative class", what: classification, dtype: "int32", values: [-1, 0], want: /row 0 has -1/ },
    { name: "half a class", what: classification, dtype: "float32", values: [0.5, 0], want: /row 0 has 0.5/ },
    {
      name: "too few rows",
      what: classification,
      dtype: "uint8",
      values: [0],
      want: /shard 4 are uint8\[1\]; expected 2 rows/,
    },
    {
      name: "what is no number",
      what: regression,
      dtype: "float32",
      values: [0, Number.NaN],
      want: /row 1 is no number/,
    },
  ] as const)("are refused with $name", ({ what, dtype, values, want }) => {
    const labels = () => check(what, { dtype, shape: [values.length], values });
    expect(labels).toThrow(expect.objectContaining({ code: "LabelsInvalid", message: expect.stringMatching(want) }));
  });
});

test("shards share a Leaderboard task while they are few and short", () => {
  const shards = (...rows: number[]) =>
    rows.map((count) => ({ rows: count })) as unknown as Parameters<typeof groupShards>[0];
  expect(groupShards(shards(2_000, 2_000, 2_000))).toEqual([[0, 1, 2]]);
  expect(groupShards(shards(16_000, 384, 65_536, 1))).toEqual([[0, 1], [2], [3]]);
  expect(groupShards(shards(...Array.from({ length: 10 }, () => 1)))).toEqual([
    [0, 1, 2, 3, 4, 5, 6, 7],
    [8, 9],
  ]);
});
