/** Intervals of 95 % confidence, in closed form: the same on every machine, and nothing is drawn at random. Pure. */

/** Half of 5 % lies beyond this on either side of a normal distribution. */
export const deviations = 1.959963984540054;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Wilson's score interval of a share out of `rows`, which may be a fraction where rows are worth less than one each. */
export function computeWilson(share: number, rows: number): Interval {
  if (rows <= 0) return { low: 0, high: 1 };
  const spread = deviations ** 2 / rows;
  const centre = (share + spread / 2) / (1 + spread);
  const half = (deviations / (1 + spread)) * Math.sqrt((share * (1 - share)) / rows + spread / (4 * rows));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** Of a mean of `rows` values that are not negative, by the normal distribution. */
export function computeMeanInterval(mean: number, variance: number, rows: number): Interval {
  if (rows < 2) return { low: 0, high: Number.POSITIVE_INFINITY };
  const half = deviations * Math.sqrt(variance / (rows - 1));
  return { low: Math.max(0, mean - half), high: mean + half };
}
