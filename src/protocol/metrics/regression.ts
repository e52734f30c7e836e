/** Mean squared and mean absolute error from exact sums, with intervals. Pure. */
import { InferiumError } from "../../base/errors.ts";
import { viewElements } from "../tensors/elements.ts";
import { type NamedTensors, requireTensor } from "../tensors/tensor.ts";
import { computeMeanInterval } from "./interval.ts";
import type { MetricValue } from "./metric-value.ts";
import { fractionBits } from "./statistics-graph.ts";

/** Errors are in units of the dataset. */
export interface ErrorSums {
  readonly absolute: number;
  readonly square: number;
  /** Sum of the fourth powers: how much squares vary. */
  readonly fourth: number;
  /** Rows in these sums. */
  readonly rows: number;
  /** Rows that could not be counted: too far off, or no numbers. */
  readonly outside: number;
}

/** @throws InferiumError MissingTensor, InvalidStatistics */
export function readErrorSums(outputs: NamedTensors): ErrorSums {
  const wholes = readIntegers(outputs, "whole", 3);
  const fractions = readIntegers(outputs, "fraction", 3);
  const [absolute = 0, square = 0, fourth = 0] = wholes.map(
    (whole, index) => Number(whole) + Number(fractions[index]) / 2 ** fractionBits,
  );
  const countOf = (name: string) => Number(readIntegers(outputs, name, 1)[0] ?? 0n);
  return { absolute, square, fourth, rows: countOf("rows"), outside: countOf("outside") };
}

function readIntegers(outputs: NamedTensors, name: string, count: number): bigint[] {
  const tensor = requireTensor(outputs, name);
  if (tensor.dtype === "int64" && tensor.shape.join() === String(count))
    return Array.from(viewElements(tensor), BigInt);
  const message = `Statistics have ${name} as ${tensor.dtype}[${tensor.shape.join(",")}]; expected int64[${count}].`;
  throw new InferiumError("InvalidStatistics", message);
}

export function addErrorSums(parts: readonly ErrorSums[]): ErrorSums {
  return parts.reduce((sum, part) => ({
    absolute: sum.absolute + part.absolute,
    square: sum.square + part.square,
    fourth: sum.fourth + part.fourth,
    rows: sum.rows + part.rows,
    outside: sum.outside + part.outside,
  }));
}

export type RegressionMetric = "MSE" | "MAE";

/** @param unit what one is in the errors of the sums */
export function computeRegression(sums: ErrorSums, name: RegressionMetric, unit: number): MetricValue {
  const { rows } = sums;
  if (rows === 0) return { name, value: 0, low: 0, high: Number.POSITIVE_INFINITY };
  const [sum, squares, scale] =
    name === "MSE" ? [sums.square, sums.fourth, unit ** 2] : [sums.absolute, sums.square, unit];
  const mean = sum / rows;
  const { low, high } = computeMeanInterval(mean, Math.max(0, squares / rows - mean ** 2), rows);
  return { name, value: mean * scale, low: low * scale, high: high * scale };
}
