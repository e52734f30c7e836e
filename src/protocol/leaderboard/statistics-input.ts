/**
 * From the outputs of Benchmark tasks and the labels to the input of a Leaderboard task: the rows of several shards behind each other,
 * otherwise as they are, so that anybody can compare them with the receipts. Checks what a model gave before anything is paid for. Pure.
 */
import type { LeaderboardSpec } from "../../api/v1alpha1/generated/leaderboards.ts";
import { InferiumError } from "../../base/errors.ts";
import type { StatisticsShape } from "../metrics/statistics-graph.ts";
import { isFloat } from "../tensors/dtype.ts";
import { numberAt, viewElements } from "../tensors/elements.ts";
import { createTensor, type NamedTensors, requireTensor, type Tensor } from "../tensors/tensor.ts";

export interface StatisticsInput {
  readonly shape: StatisticsShape;
  readonly input: NamedTensors;
}

export interface ShardResult {
  readonly rows: number;
  readonly outputs: NamedTensors;
  readonly labels: Tensor;
}

type What = Pick<LeaderboardSpec, "task" | "dataset">;

/** @throws InferiumError MissingTensor, OutputMismatch */
export function buildStatisticsInput(
  { task, dataset }: What,
  outputName: string,
  shards: readonly ShardResult[],
): StatisticsInput {
  const classes = dataset.classes ?? 0;
  const predictions = shards.map(({ outputs, rows }) => {
    const tensor = requireTensor(outputs, outputName);
    const columns = checkPredictions({ tensor, outputName, rows, task, classes });
    return columns > 1 ? tensor : { ...tensor, shape: [rows] };
  });
  const [first] = predictions;
  if (
    first === undefined ||
    predictions.some(({ dtype, shape }) => dtype !== first.dtype || shape.length !== first.shape.length)
  )
    throw mismatch(`Output "${outputName}" has another type or shape in one shard than in another.`);
  const said = concatenate(predictions);
  const truth = concatenate(shards.map(({ labels }) => labels));
  const shape = { task, predictions: said.dtype, labels: truth.dtype, scores: said.shape.length === 2 };
  const own = task === "Classification" ? classNumbers(classes) : unitOf(dataset.unit ?? 1);
  return { shape, input: new Map([["predictions", said], ["labels", truth], own]) };
}

interface Predictions {
  readonly tensor: Tensor;
  readonly outputName: string;
  readonly rows: number;
  readonly task: LeaderboardSpec["task"];
  readonly classes: number;
}

/** @returns numbers in a row */
function checkPredictions({ tensor, outputName, rows, task, classes }: Predictions): number {
  const [length, columns = 1, ...more] = tensor.shape;
  const got = `Output "${outputName}" is ${tensor.dtype}[${tensor.shape.join(",")}]`;
  if (length !== rows || more.length > 0) throw mismatch(`${got}; expected ${rows} rows, as the shard has.`);
  if (tensor.dtype === "bool") throw mismatch(`${got}; expected numbers.`);
  if (columns === 1) {
    if (task === "Classification" && isFloat(tensor.dtype))
      throw mismatch(`${got}; expected labels as integers, or ${classes} scores a row.`);
    return 1;
  }
  if (task === "Classification" && columns === classes) return columns;
  throw mismatch(
    `${got}; expected ${task === "Classification" ? `one label or ${classes} scores` : "one number"} a row.`,
  );
}

function mismatch(message: string): InferiumError {
  return new InferiumError("OutputMismatch", message);
}

function concatenate(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (first === undefined) throw mismatch("There is no shard.");
  const bytes = Buffer.concat(tensors.map(({ data }) => data));
  const rows = tensors.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  return createTensor(first.dtype, [rows, ...first.shape.slice(1)], bytes);
}

function classNumbers(classes: number): [string, Tensor] {
  const numbers = BigInt64Array.from({ length: classes }, (_, index) => BigInt(index));
  return ["classes", createTensor("int64", [classes], new Uint8Array(numbers.buffer))];
}

function unitOf(unit: number): [string, Tensor] {
  return ["unit", createTensor("float64", [], new Uint8Array(Float64Array.of(unit).buffer))];
}

/**
 * The labels of a shard as a Leaderboard task takes them: classes as bytes, numbers as float64.
 * @throws InferiumError LabelsInvalid
 */
export function checkLabels({ task, dataset }: What, labels: Tensor, shard: { index: number; rows: number }): Tensor {
  const where = `Labels of shard ${shard.index} are ${labels.dtype}[${labels.shape.join(",")}]`;
  if (labels.shape[0] !== shard.rows || labels.shape.length > 2 || (labels.shape[1] ?? 1) !== 1)
    throw invalid(`${where}; expected ${shard.rows} rows of one label.`);
  const elements = viewElements(labels);
  const values = Array.from({ length: shard.rows }, (_, row) => Number(numberAt(labels.dtype, elements, row)));
  if (task === "Regression") {
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw invalid(`${where} and row ${bad} is no number.`);
    return createTensor("float64", [shard.rows], new Uint8Array(Float64Array.from(values).buffer));
  }
  const classes = dataset.classes ?? 0;
  const bad = values.findIndex((value) => !Number.isInteger(value) || value < 0 || value >= classes);
  if (bad >= 0)
    throw invalid(`${where} and row ${bad} has ${values[bad]}; expected whole numbers from 0 to ${classes - 1}.`);
  return createTensor("uint8", [shard.rows], Uint8Array.from(values));
}

function invalid(message: string): InferiumError {
  return new InferiumError("LabelsInvalid", message);
}
