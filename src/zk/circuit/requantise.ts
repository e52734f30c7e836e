/**
 * out = clip(in, 0, 256 * 2^shift - 1) / 2^shift, rounded down: the step between two layers, ReLU included. The bits of the sum
 * say everything: the sign is the last one, the byte lies `shift` bits up, and any bit above it means saturation. The
 * template: circuits/requantise.circom.
 */
import { bitLength, invert } from "../field.ts";
import type { Bounds } from "../network/layer-bounds.ts";
import { type Combination, type ConstraintSystem, combine, evaluate, one } from "../r1cs/constraint-system.ts";
import { addSignedBits, weighBits } from "./bits.ts";

/** Two bits at least above the byte, so that one template serves: below them there is the sign, above them the remainder. */
const smallestExcess = 2;

/** Bits of a value within the bounds, sign included. */
export function signedBits({ low, high }: Bounds): number {
  return 1 + Math.max(bitLength(BigInt(Math.max(high, 0))), bitLength(BigInt(Math.max(-low - 1, 0))));
}

/** Bits that the template takes for a value within the bounds. */
export function requantiseBits(bounds: Bounds, shift: number): number {
  return Math.max(signedBits(bounds), shift + 8 + smallestExcess + 1);
}

export function addRequantise(
  system: ConstraintSystem,
  path: string,
  input: { readonly wire: number; readonly bits: number; readonly shift: number },
): number {
  const { wire, bits: count, shift } = input;
  system.alias(wire, `${path}.in`);
  const bits = addSignedBits(system, `${path}.bits`, wire, count);
  const quotient = weighBits(bits.slice(shift, shift + 8));
  const excess: Combination = bits.slice(shift + 8, count - 1).map((bit) => [bit, 1n]);
  const isOver = addIsNonZero(system, path, excess);
  const missing = combine([
    [255n, [[one, 1n]]],
    [-1n, quotient],
  ]);
  const correction = system.addProduct(`${path}.correction`, [[isOver, 1n]], missing);
  return system.addProduct(`${path}.out`, [[bits[count - 1] ?? one, 1n]], [...quotient, [correction, 1n]]);
}

/** 1 where any of the bits is set: a count times its inverse; where there is none, the second constraint forces 0. */
function addIsNonZero(system: ConstraintSystem, path: string, count: Combination): number {
  const inverse = system.addWire(`${path}.inverse`);
  system.steps.push((values) => {
    values[inverse] = invert(evaluate(count, values));
  });
  const isOver = system.addProduct(`${path}.isOver`, count, [[inverse, 1n]]);
  system.constrain(
    count,
    [
      [one, 1n],
      [isOver, -1n],
    ],
    [],
  );
  return isOver;
}
