/**
 * How far runtimes differ on a model: what validators computed on the same inputs, compared pair by pair. Measured on a few inputs,
 * so whoever judges by it allows a multiple. Pure.
 */
import type { NamedTensors } from "../tensors/tensor.ts";
import { compareOutputs } from "../verdict/compare.ts";

export interface CalibratedPair {
  /** Two runtimes in the order of their names; the same twice where two validators had it. */
  readonly first: string;
  readonly second: string;
  readonly maxAbsolute: number;
  /** 0 where only values differ that one of them has as zero. */
  readonly maxRelative: number;
  /** Inputs that both could run. */
  readonly samples: number;
}

export interface SampledRun {
  readonly runtime: string;
  /** By input; empty where it could not be run. */
  readonly outputs: readonly NamedTensors[];
}

/** What was measured may be exceeded so many times by other inputs. */
export const calibrationMargin = 4;
const maxPairs = 64;

/** @param known of earlier checks of the same file: what differed once differs */
export function calibrate(runs: readonly SampledRun[], known: readonly CalibratedPair[] = []): CalibratedPair[] {
  const pairs = new Map(known.map((pair) => [keyOf(pair.first, pair.second), pair]));
  runs.forEach((a, index) => {
    for (const b of runs.slice(index + 1)) {
      const measured = measure(a, b);
      if (measured === undefined) continue;
      const key = keyOf(measured.first, measured.second);
      pairs.set(key, widen(pairs.get(key), measured));
    }
  });
  return [...pairs.values()]
    .sort((a, b) => (keyOf(a.first, a.second) < keyOf(b.first, b.second) ? -1 : 1))
    .slice(0, maxPairs);
}

export function findPair(pairs: readonly CalibratedPair[], a: string, b: string): CalibratedPair | undefined {
  const key = keyOf(a, b);
  return pairs.find(({ first, second }) => keyOf(first, second) === key);
}

/** Undefined where they have no input in common, or results that no bound is for. */
function measure(a: SampledRun, b: SampledRun): CalibratedPair | undefined {
  const [first = "", second = ""] = [a.runtime, b.runtime].sort();
  let [maxAbsolute, maxRelative, samples] = [0, 0, 0];
  for (const [index, outputs] of a.outputs.entries()) {
    const others = b.outputs[index];
    if (others === undefined || outputs.size === 0 || others.size === 0) continue;
    const { mismatches, firstMismatch, ...found } = compareOutputs(outputs, others, { policy: "Exact" });
    if (mismatches > 0 && firstMismatch?.index === undefined) return undefined;
    if (!Number.isFinite(found.maxAbsolute)) return undefined;
    samples += 1;
    maxAbsolute = Math.max(maxAbsolute, found.maxAbsolute);
    if (Number.isFinite(found.maxRelative)) maxRelative = Math.max(maxRelative, found.maxRelative);
  }
  return samples === 0 ? undefined : { first, second, maxAbsolute, maxRelative, samples };
}

function widen(known: CalibratedPair | undefined, measured: CalibratedPair): CalibratedPair {
  if (known === undefined) return measured;
  return {
    ...known,
    maxAbsolute: Math.max(known.maxAbsolute, measured.maxAbsolute),
    maxRelative: Math.max(known.maxRelative, measured.maxRelative),
    samples: Math.min(1_000_000, known.samples + measured.samples),
  };
}

function keyOf(a: string, b: string): string {
  return a < b ? `${a} | ${b}` : `${b} | ${a}`;
}
