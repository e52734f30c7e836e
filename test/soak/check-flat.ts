/**
 * Whether a figure has grown over a run. The first third is the start, in which caches fill; after it the floor of the first
 * half of what is left is held against that of the second. The floor is the lower quartile: what leaks lifts it, while a cut
 * that has just opened connections anew does not. Pure.
 */

export interface Allowance {
  /** Growth that is noise whatever the size, in the figure's own unit. */
  readonly absolute: number;
  /** And as a share of the earlier floor. */
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
  const before = floorOf(steady.slice(0, middle));
  const after = floorOf(steady.slice(middle));
  return { before, after, isFlat: after - before <= Math.max(allowance.absolute, before * allowance.share) };
}

function floorOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 4)]!;
}
