/**
 * Who is best, as far as the data can tell. Models are put in the order of their values; one whose interval overlaps with that of the
 * first of its rank shares the rank. Pure.
 */
import { isLessBetter, type MetricValue } from "../metrics/metric-value.ts";

export interface Ranked<T> {
  readonly item: T;
  /** 1 is best; who follows three that share rank 1 has rank 4. */
  readonly rank: number;
  readonly tied: boolean;
}

/** @param metricOf the metric that ranks */
export function rankModels<T>(items: readonly T[], metricOf: (item: T) => MetricValue): Ranked<T>[] {
  const sorted = items.toSorted((a, b) => {
    const [left, right] = [metricOf(a), metricOf(b)];
    return isLessBetter(left.name) ? left.value - right.value : right.value - left.value;
  });
  const groups: T[][] = [];
  for (const item of sorted) {
    const group = groups.at(-1);
    const first = group?.[0];
    if (group && first !== undefined && overlaps(metricOf(first), metricOf(item))) group.push(item);
    else groups.push([item]);
  }
  let rank = 1;
  return groups.flatMap((group) => {
    const ranked = group.map((item) => ({ item, rank, tied: group.length > 1 }));
    rank += group.length;
    return ranked;
  });
}

function overlaps(a: MetricValue, b: MetricValue): boolean {
  return a.low <= b.high && b.low <= a.high;
}
