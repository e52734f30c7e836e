/**
 * A proof's sums of points, each times the value of a wire. Nearly all wires of our circuits hold a bit, a byte or a sum of a few
 * bytes' size, and a multi-exponentiation is as long as its longest scalar: wires are put together by size. Called by prove-groth16.ts.
 * Pure but for the curve's threads.
 */
import type { Group, Value } from "ffjavascript";
import { fieldPrime, writeElement } from "../field.ts";

/** Wires whose values fit the same number of bytes. */
export interface SizeClass {
  readonly bytes: number;
  /** Values are those of the wires, negated. */
  readonly isNegative: boolean;
  readonly wires: readonly number[];
  /** One after another, little-endian. */
  readonly scalars: Uint8Array;
}

const shapes = [
  { bytes: 1, isNegative: false },
  { bytes: 4, isNegative: false },
  { bytes: 4, isNegative: true },
  { bytes: 32, isNegative: false },
] as const;

/** Wires of value zero are left out. */
export function classifyBySize(witness: readonly bigint[], firstWire: number): SizeClass[] {
  const wires: number[][] = shapes.map(() => []);
  const element = new Uint8Array(32);
  for (let wire = firstWire; wire < witness.length; wire++) {
    const value = witness[wire] as bigint;
    if (value !== 0n) wires[shapeOf(value)]?.push(wire);
  }
  return shapes.map((shape, index) => {
    const of = wires[index] ?? [];
    const scalars = new Uint8Array(shape.bytes * of.length);
    of.forEach((wire, place) => {
      const value = witness[wire] as bigint;
      writeElement(shape.isNegative ? fieldPrime - value : value, element, 0);
      scalars.set(element.subarray(0, shape.bytes), shape.bytes * place);
    });
    return { ...shape, wires: of, scalars };
  });
}

function shapeOf(value: bigint): number {
  if (value < 1n << 8n) return 0;
  if (value < 1n << 32n) return 1;
  return fieldPrime - value < 1n << 32n ? 2 : 3;
}

/** @param points of the wires from the first on, affine */
export async function sumPoints(
  group: Group,
  points: Uint8Array,
  { classes, firstWire, pointBytes }: { classes: readonly SizeClass[]; firstWire: number; pointBytes: number },
): Promise<Value> {
  const sums = await Promise.all(
    classes.map(async ({ wires, scalars, isNegative }) => {
      if (wires.length === 0) return group.zero;
      const chosen = new Uint8Array(pointBytes * wires.length);
      wires.forEach((wire, place) => {
        const from = pointBytes * (wire - firstWire);
        chosen.set(points.subarray(from, from + pointBytes), pointBytes * place);
      });
      const sum = await group.multiExpAffine(chosen, scalars);
      return isNegative ? group.neg(sum) : sum;
    }),
  );
  return sums.reduce((total, sum) => group.add(total, sum));
}
