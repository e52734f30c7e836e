/**
 * Accuracy, precision, recall and F1 from a confusion matrix, with intervals. Precision, recall and F1 are means over the classes that
 * occur in labels or answers; where one of them is not defined for a class it is 0 there. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import { viewElements } from "../tensors/elements.ts";
import { type NamedTensors, requireTensor } from "../tensors/tensor.ts";
import { computeWilson } from "./interval.ts";
import type { MetricValue } from "./metric-value.ts";

export interface Confusion {
  /** By true class, then by predicted class. */
  readonly counts: readonly (readonly number[])[];
  /** Rows of each true class, whatever was predicted. */
  readonly support: readonly number[];
}

/** @throws InferiumError MissingTensor, InvalidStatistics */
export function readConfusion(outputs: NamedTensors, classes: number): Confusion {
  const read = (name: string, want: readonly number[]) => {
    const tensor = requireTensor(outputs, name);
    if (tensor.dtype === "int64" && tensor.shape.join() === want.join())
      return Array.from(viewElements(tensor), Number);
    const message = `Statistics have ${name} as ${tensor.dtype}[${tensor.shape.join(",")}]; expected int64[${want.join(",")}].`;
    throw new InferiumError("InvalidStatistics", message);
  };
  const cells = read("confusion", [classes, classes]);
  const counts = Array.from({ length: classes }, (_, row) => cells.slice(row * classes, (row + 1) * classes));
  return { counts, support: read("support", [classes]) };
}

export function addConfusions(parts: readonly Confusion[]): Confusion {
  return parts.reduce((sum, part) => ({
    counts: sum.counts.map((row, i) => row.map((count, j) => count + (part.counts[i]?.[j] ?? 0))),
    support: sum.support.map((count, i) => count + (part.support[i] ?? 0)),
  }));
}

export function countRows({ support }: Confusion): number {
  return support.reduce((sum, count) => sum + count, 0);
}

export type ClassificationMetric = "Accuracy" | "Precision" | "Recall" | "F1";

export function computeClassification(confusion: Confusion, name: ClassificationMetric): MetricValue {
  const rows = countRows(confusion);
  if (name === "Accuracy") {
    const share = rows === 0 ? 0 : sumOf(confusion.counts.map((row, i) => row[i] ?? 0)) / rows;
    return { name, value: share, ...computeWilson(share, rows) };
  }
  const { value, variance } = computeMacro(confusion, scores[name]);
  // The interval of as many rows as would give a share this variance; at 0 and 1, where it vanishes, of the rows themselves.
  const worth = variance > 0 ? Math.min(rows, (value * (1 - value)) / variance) : rows;
  return { name, value, ...computeWilson(value, worth) };
}

/** Right answers for a class, answers that named it, rows that have it. */
interface ClassCounts {
  readonly right: number;
  readonly named: number;
  readonly having: number;
}

/** A score of one class, and how it changes with one more row that is right, wrongly named, or missed. */
interface ClassScore {
  readonly value: number;
  readonly byRight: number;
  readonly byNamed: number;
  readonly byMissed: number;
}

const nothing: ClassScore = { value: 0, byRight: 0, byNamed: 0, byMissed: 0 };

const scores: Readonly<Record<Exclude<ClassificationMetric, "Accuracy">, (counts: ClassCounts) => ClassScore>> = {
  Precision: ({ right, named }) =>
    named === 0
      ? nothing
      : {
          value: right / named,
          byRight: (named - right) / named ** 2,
          byNamed: -right / named ** 2,
          byMissed: 0,
        },
  Recall: ({ right, having }) =>
    having === 0
      ? nothing
      : {
          value: right / having,
          byRight: (having - right) / having ** 2,
          byNamed: 0,
          byMissed: -right / having ** 2,
        },
  F1: ({ right, named, having }) => {
    const both = named + having;
    if (both === 0) return nothing;
    const wrong = (-2 * right) / both ** 2;
    return {
      value: (2 * right) / both,
      byRight: (2 * (both - 2 * right)) / both ** 2,
      byNamed: wrong,
      byMissed: wrong,
    };
  },
};

/**
 * The mean over the classes and its variance by the delta method, rows being drawn independently: the sum over the cells of the
 * matrix of count times squared derivative. (The square of the sum of their products would be subtracted; it is 0, since none of
 * these scores changes when all counts are doubled.)
 */
function computeMacro(
  { counts, support }: Confusion,
  score: (counts: ClassCounts) => ClassScore,
): { value: number; variance: number } {
  const named = support.map((_, j) => sumOf(counts.map((row) => row[j] ?? 0)));
  const occurring = support.filter((having, k) => having > 0 || (named[k] ?? 0) > 0).length;
  if (occurring === 0) return { value: 0, variance: 0 };
  const each = support.map((having, k) => score({ right: counts[k]?.[k] ?? 0, named: named[k] ?? 0, having }));
  let variance = 0;
  counts.forEach((row, i) => {
    const missed = each[i] ?? nothing;
    row.forEach((count, j) => {
      const slope = i === j ? missed.byRight : missed.byMissed + (each[j] ?? nothing).byNamed;
      variance += count * slope ** 2;
    });
    // Answers that are no class at all count against the true one alone.
    variance += ((support[i] ?? 0) - sumOf(row)) * missed.byMissed ** 2;
  });
  return { value: sumOf(each.map(({ value }) => value)) / occurring, variance: variance / occurring ** 2 };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
