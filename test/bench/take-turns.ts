/**
 * Timing of several sides that do the same work, in short rounds by turns, because a machine's speed changes from second
 * to second: what is compared are neighbours in time, and what is told are medians. Used by the benchmarks.
 */

/** One side of a comparison: does its work once. */
export type Side = () => Promise<void>;

export interface Turns {
  readonly rounds: number;
  readonly warmUpRounds: number;
}

/** Microseconds of each side in each round; the order changes so that no side always comes after the same other. */
export async function takeTurns<Name extends string>(
  sides: Readonly<Record<Name, Side>>,
  { rounds, warmUpRounds }: Turns,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(sides) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let i = -warmUpRounds; i < rounds; i++) {
    for (const name of i % 2 === 0 ? names : names.toReversed()) {
      const started = performance.now();
      await sides[name]();
      if (i >= 0) times[name].push((performance.now() - started) * 1000);
    }
  }
  return times;
}

/** The median over rounds of the two times of one round, so that a slow second hits both. */
export function ratioOf(times: readonly number[], base: readonly number[]): number {
  return median(times.map((time, i) => time / (base[i] ?? Number.NaN)));
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export function roundTo3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
