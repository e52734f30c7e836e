import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ClassificationMetric,
  type Confusion,
  computeClassification,
} from "../../../../src/protocol/metrics/classification.ts";
import { computeWilson } from "../../../../src/protocol/metrics/interval.ts";
import { formatMetric } from "../../../../src/protocol/metrics/metric-value.ts";
import { computeRegression } from "../../../../src/protocol/metrics/regression.ts";

/** Rows are true classes; what a row has beyond its cells was answered with no class at all. */
const confusionOf = (counts: number[][], other: number[] = counts.map(() => 0)): Confusion => ({
  counts,
  support: counts.map((row, i) => row.reduce((sum, count) => sum + count, other[i] ?? 0)),
});
const scoreOf = (confusion: Confusion, name: ClassificationMetric) => computeClassification(confusion, name).value;
const names = ["Accuracy", "Precision", "Recall", "F1"] as const;

describe("metrics of a classification", () => {
  // Checked by hand: precision 8/9 and 9/11, recall 8/10 and 9/10.
  const binary = confusionOf([
    [8, 2],
    [1, 9],
  ]);

  test("are what the textbook says", () => {
    expect(scoreOf(binary, "Accuracy")).toBeCloseTo(17 / 20, 12);
    expect(scoreOf(binary, "Precision")).toBeCloseTo((8 / 9 + 9 / 11) / 2, 12);
    expect(scoreOf(binary, "Recall")).toBeCloseTo(17 / 20, 12);
    expect(scoreOf(binary, "F1")).toBeCloseTo((16 / 19 + 18 / 21) / 2, 12);
  });

  test("leave out classes that occur nowhere, and give 0 where one is not defined", () => {
    const withEmpty = confusionOf([
      [8, 2, 0],
      [1, 9, 0],
      [0, 0, 0],
    ]);
    for (const name of names) expect(scoreOf(withEmpty, name)).toBeCloseTo(scoreOf(binary, name), 12);
    const neverNamed = confusionOf([
      [5, 0],
      [5, 0],
    ]);
    expect(scoreOf(neverNamed, "Precision")).toBeCloseTo(0.25, 12);
    expect(scoreOf(neverNamed, "Recall")).toBeCloseTo(0.5, 12);
  });

  test("count an answer that is no class as wrong", () => {
    const other = confusionOf(
      [
        [5, 0],
        [0, 5],
      ],
      [5, 0],
    );
    expect(scoreOf(other, "Accuracy")).toBeCloseTo(10 / 15, 12);
    expect(scoreOf(other, "Precision")).toBe(1);
    expect(scoreOf(other, "Recall")).toBeCloseTo(0.75, 12);
  });

  test("have intervals that hold the value, within 0 and 1, and are narrower for more rows", () => {
    const cells = fc.array(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 3, maxLength: 3 }), {
      minLength: 3,
      maxLength: 3,
    });
    fc.assert(
      fc.property(cells, fc.constantFrom(...names), (counts, name) => {
        const rows = counts.flat().reduce((sum, count) => sum + count, 0);
        fc.pre(rows > 0);
        const { value, low, high } = computeClassification(confusionOf(counts), name);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(value + 1e-12);
        expect(high).toBeGreaterThanOrEqual(value - 1e-12);
        expect(high).toBeLessThanOrEqual(1);
        const more = computeClassification(confusionOf(counts.map((row) => row.map((count) => count * 16))), name);
        expect(more.value).toBeCloseTo(value, 9);
        expect(more.high - more.low).toBeLessThan(high - low);
      }),
    );
  });

  test("have intervals of macro F1 that hold the true value about 95 times in 100", () => {
    // Drawn by a generator of our own, so that the test is the same every time.
    let state = 7;
    const draw = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    // Two of the three classes are rare, so that the mean over classes varies more than a share of all rows.
    const probabilities = [0.8, 0.03, 0.02, 0.02, 0.05, 0.01, 0.01, 0.01, 0.05];
    const square = (cells: number[]) => confusionOf([cells.slice(0, 3), cells.slice(3, 6), cells.slice(6)]);
    const truth = scoreOf(square(probabilities.map((p) => p * 1e6)), "F1");
    const trials = 400;
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const cells = probabilities.map(() => 0);
      for (let row = 0; row < 400; row++) {
        const cell = pick(probabilities, draw());
        cells[cell] = (cells[cell] ?? 0) + 1;
      }
      const { low, high } = computeClassification(square(cells), "F1");
      if (low <= truth && truth <= high) covered += 1;
    }
    expect(covered / trials).toBeGreaterThan(0.92);
    expect(covered / trials).toBeLessThan(0.98);
  });
});

function pick(probabilities: readonly number[], at: number): number {
  let sum = 0;
  const found = probabilities.findIndex((probability) => {
    sum += probability;
    return at < sum;
  });
  return Math.max(0, found);
}

test("Wilson's interval is the published one", () => {
  // Newcombe 1998, table I: 81 of 263.
  const { low, high } = computeWilson(81 / 263, 263);
  expect([low.toFixed(4), high.toFixed(4)]).toEqual(["0.2553", "0.3662"]);
  expect(computeWilson(0, 0)).toEqual({ low: 0, high: 1 });
});

describe("metrics of a regression", () => {
  const errors = [1, 2, 3, 4];
  const sumOf = (power: number) => errors.reduce((sum, error) => sum + error ** power, 0);
  const sums = { absolute: sumOf(1), square: sumOf(2), fourth: sumOf(4), rows: 4, outside: 0 };

  test("are means of errors in the unit of the labels, with the interval of their mean", () => {
    expect(computeRegression(sums, "MAE", 1).value).toBe(2.5);
    expect(computeRegression(sums, "MSE", 1).value).toBe(7.5);
    expect(computeRegression(sums, "MAE", 10).value).toBe(25);
    expect(computeRegression(sums, "MSE", 10).value).toBe(750);
    // Variance 1.25 of four values: 2.5 +- 1.96 * sqrt(1.25 / 3).
    const { low, high } = computeRegression(sums, "MAE", 1);
    expect([low.toFixed(4), high.toFixed(4)]).toEqual(["1.2348", "3.7652"]);
  });

  test("say nothing of how far off the mean may be where there is one row", () => {
    const one = { absolute: 1, square: 1, fourth: 1, rows: 1, outside: 0 };
    expect(computeRegression(one, "MSE", 1)).toMatchObject({ value: 1, low: 0, high: Number.POSITIVE_INFINITY });
  });
});

test("metrics are written as short decimals", () => {
  expect([0.9752, 1 / 3, 0, 123_456_789, 1e-9, Number.POSITIVE_INFINITY].map(formatMetric)).toEqual([
    "0.9752",
    "0.333333",
    "0",
    "123457000",
    "1e-9",
    "Infinity",
  ]);
});
