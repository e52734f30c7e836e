/** The graphs of Leaderboard tasks in onnxruntime, as workers and validators run them, against sums that this file computes itself. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createExecutor, type Executor } from "../../../src/inference/execute.ts";
import { addConfusions, readConfusion } from "../../../src/protocol/metrics/classification.ts";
import { addErrorSums, readErrorSums } from "../../../src/protocol/metrics/regression.ts";
import { buildStatisticsModel, type StatisticsShape } from "../../../src/protocol/metrics/statistics-graph.ts";
import type { InlineTensors } from "../../../src/protocol/tensors/json.ts";

let dir: string;
let executor: Executor;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-statistics-"));
  executor = createExecutor({ cacheDir: dir });
});

afterAll(async () => {
  await executor?.close();
  await rm(dir, { recursive: true, force: true });
});

async function run(shape: StatisticsShape, inline: InlineTensors) {
  const model = buildStatisticsModel(shape);
  expect(model.uri.length).toBeLessThanOrEqual(2_048);
  return (await executor.execute({ model, input: { inline } })).outputs;
}

const classes = (count: number) => ({
  classes: { dtype: "int64", shape: [count], data: Array.from({ length: count }, (_, i) => i) },
});
const vector = (dtype: string, data: number[]) => ({ dtype, shape: [data.length], data });

describe("statistics of a classification", () => {
  const shape = { task: "Classification", labels: "uint8", predictions: "int64", scores: false } as const;

  test("count by true and predicted class, and answers that are no class as rows of their true class alone", async () => {
    const predictions = vector("int64", [0, 1, 1, 2, 7, -1]);
    const labels = vector("uint8", [0, 1, 0, 2, 2, 1]);
    const outputs = await run(shape, { predictions, labels, ...classes(3) });
    const want = {
      counts: [
        [1, 1, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
      support: [2, 2, 2],
    };
    expect(readConfusion(outputs, 3)).toEqual(want);
    const both = addConfusions([readConfusion(outputs, 3), readConfusion(outputs, 3)]);
    expect(both.counts[0]).toEqual([2, 2, 0]);
    expect(() => readConfusion(outputs, 4)).toThrow(/confusion as int64\[3,3\]; expected int64\[4,4\]/);
  });

  test("take the first largest of scores of any type", async () => {
    for (const dtype of ["float32", "float64", "int32"] as const) {
      const predictions = { dtype, shape: [3, 2], data: [3, 1, 1, 2, 2, 2] };
      const inline = { predictions, labels: vector("uint8", [0, 1, 1]), ...classes(2) };
      const outputs = await run({ ...shape, predictions: dtype, scores: true }, inline);
      expect(readConfusion(outputs, 2).counts).toEqual([
        [1, 0],
        [1, 1],
      ]);
    }
  });

  test("take labels of every integer type", async () => {
    for (const dtype of ["int8", "uint8", "int16", "uint16", "int32", "uint32"] as const) {
      const inline = { predictions: vector(dtype, [1, 0]), labels: vector("uint8", [1, 1]), ...classes(2) };
      const outputs = await run({ ...shape, predictions: dtype }, inline);
      expect(readConfusion(outputs, 2).counts).toEqual([
        [0, 0],
        [1, 1],
      ]);
    }
  });
});

describe("statistics of a regression", () => {
  const shape = { task: "Regression", labels: "float64", predictions: "float32", scores: false } as const;
  const unit = (value: number) => ({ unit: { dtype: "float64", shape: [], data: [value] } });

  test("are the sums of powers of the errors, in units", async () => {
    const said = [1.5, -2.25, 0.1, 1_000];
    const true_ = [1, -2, 0.3, 900];
    const labels = vector("float64", true_);
    const sums = readErrorSums(await run(shape, { predictions: vector("float32", said), labels, ...unit(2) }));
    const errors = said.map((value, i) => Math.abs(Math.fround(value) - (true_[i] ?? 0)) / 2);
    const sumOf = (power: number) => errors.reduce((sum, error) => sum + error ** power, 0);
    expect(sums).toMatchObject({ rows: 4, outside: 0 });
    expect(sums.absolute).toBeCloseTo(sumOf(1), 9);
    expect(sums.square).toBeCloseTo(sumOf(2), 9);
    expect(sums.fourth).toBeCloseTo(sumOf(4), 6);
    expect(addErrorSums([sums, sums])).toMatchObject({ rows: 8, square: sums.square * 2 });
  });

  test("are the same in any order of the rows, to the last bit", async () => {
    const rows = Array.from({ length: 5_000 }, (_, i) => [Math.sin(i) * 300, Math.cos(i * 7) * 300] as const);
    const sumsOf = async (ordered: typeof rows) =>
      readErrorSums(
        await run(shape, {
          predictions: vector(
            "float32",
            ordered.map(([said]) => said),
          ),
          labels: vector(
            "float64",
            ordered.map(([, label]) => label),
          ),
          ...unit(0.7),
        }),
      );
    expect(await sumsOf(rows.toReversed())).toEqual(await sumsOf(rows));
  });

  test("tell of answers that are too far off, infinite, or no numbers instead of counting them", async () => {
    const bytes = new Uint8Array(Float32Array.of(2_048, 5, Number.NaN, Number.POSITIVE_INFINITY).buffer);
    const predictions = { dtype: "float32", shape: [4], data: Buffer.from(bytes).toString("base64") };
    const sums = readErrorSums(await run(shape, { predictions, labels: vector("float64", [0, 4, 0, 0]), ...unit(1) }));
    expect(sums).toEqual({ rows: 1, outside: 3, absolute: 1, square: 1, fourth: 1 });
  });
});

test("a data URI that is not base64, or holds other bytes than its digest names, is refused", async () => {
  const model = buildStatisticsModel({ task: "Regression", predictions: "float16", labels: "float64", scores: false });
  // Of types that no other test here has loaded.
  const load = (uri: string) => executor.preload({ ...model, uri });
  await expect(load("data:application/onnx,plain")).rejects.toMatchObject({ code: "InvalidUri" });
  await expect(load("data:application/onnx;base64,AAAA")).rejects.toMatchObject({ code: "DigestMismatch" });
  await expect(load(model.uri)).resolves.toBeDefined();
});
