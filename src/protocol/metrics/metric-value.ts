/** A metric with its interval of 95 % confidence, and how it is written. Pure. */
export type MetricName = "Accuracy" | "Precision" | "Recall" | "F1" | "MSE" | "MAE";

export interface MetricValue {
  readonly name: MetricName;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** More is better, but for errors. */
export function isLessBetter(name: MetricName): boolean {
  return name === "MSE" || name === "MAE";
}

/** Six significant digits, as a plain decimal where it is one: statuses hold no floating point numbers. */
export function formatMetric(value: number): string {
  return String(Number(value.toPrecision(6)));
}
