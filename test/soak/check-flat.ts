/**
 * Whether a figure has grown over a run. The first third is the start, in which caches fill; after it the median of the first
 * half of what is left is held against that of the second. Pure.
 */

export interface Allowance {
  /** Growth that is noise whatever the size, in the figure's own unit. */
  readonly absolute: number;
  /** And as a share of the earlier median. */
  readonly share: number;
}

export interface Growth {
  readonly before: number;
  readonly after: number;
  readonly isFlat: boolean;
}

/** Fewer samples than this after the start say nothing. */
export const fewestSamples = 8;

/** @returns undefined where the run is too short to say */
export function checkFlat(values: readonly number[], allowance: Allowance): Growth | undefined {
  const steady = values.slice(Math.ceil(values.length / 3));
  if (steady.length < fewestSamples) return undefined;
  const middle = Math.floor(steady.length / 2);
  const before = median(steady.slice(0, middle));
  const after = median(steady.slice(middle));
  return { before, after, isFlat: after - before <= Math.max(allowance.absolute, before * allowance.share) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
