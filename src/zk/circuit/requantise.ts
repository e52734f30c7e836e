/**
 * out = clip(in, 0, 256 * 2^shift - 1) / 2^shift, rounded down: the step between two layers, ReLU included. The bits of the sum
 * say everything: the sign is the last one, the byte lies `shift` bits up, and any bit between the two means saturation. The
 * template: circuits/requantise.circom.
 */
import { bitLength, invert, mod } from "../field.ts";
import type { Bounds } from "../network/layer-bounds.ts";
import {
  type Combination,
  type ConstraintSystem,
  combine,
  evaluate,
  one,
  wireValue,
} from "../r1cs/constraint-system.ts";
import { addSignedBits, weighBits } from "./bits.ts";

/** Bits of a value within the bounds, sign included. */
export function signedBits({ low, high }: Bounds): number {
  return 1 + Math.max(bitLength(BigInt(Math.max(high, 0))), bitLength(BigInt(Math.max(-low - 1, 0))));
}

/** Bits that the template takes for a value within the bounds: one at least for the quotient. */
export function requantiseBits(bounds: Bounds, shift: number): number {
  return Math.max(signedBits(bounds), shift + 2);
}

export function addRequantise(
  system: ConstraintSystem,
  path: string,
  input: { readonly wire: number; readonly bits: number; readonly shift: number },
): number {
  const { wire, bits: count, shift } = input;
  system.alias(wire, `${path}.in`);
  const { lower, last: isPositive } = addSignedBits(system, `${path}.bits`, [[wire, 1n]], count);
  const quotient = weighBits(lower.slice(shift, shift + 8));
  const excess = lower.slice(shift + 8);
  if (excess.length === 0) return system.addProduct(`${path}.out`, isPositive, quotient);
  const outside = combine([...excess.map((bit) => [1n, [[bit, 1n]]] as const), [1n, unit], [-1n, isPositive]]);
  const isWithin = addIsZero(system, path, outside);
  const out = system.addWire(`${path}.out`);
  const below = combine([
    [1n, quotient],
    [-255n, unit],
  ]);
  const lifted = combine([[-255n, isPositive]]);
  system.constrain([[isWithin, 1n]], below, [...lifted, [out, 1n]]);
  system.steps.push((values) => {
    const byte = wireValue(values, isWithin) * evaluate(below, values);
    values[out] = mod(byte - evaluate(lifted, values));
  });
  return out;
}

const unit: Combination = [[one, 1n]];

/** 1 where the count is 0: one less the count times its inverse; where it is not 0, the second constraint forces 0. */
function addIsZero(system: ConstraintSystem, path: string, count: Combination): number {
  const inverse = system.addWire(`${path}.inverse`);
  const isZero = system.addWire(`${path}.isWithin`);
  system.constrain(
    count,
    [[inverse, 1n]],
    [
      [one, 1n],
      [isZero, -1n],
    ],
  );
  system.constrain(count, [[isZero, 1n]], []);
  system.steps.push((values) => {
    const hint = invert(evaluate(count, values));
    values[inverse] = hint;
    values[isZero] = mod(1n - evaluate(count, values) * hint);
  });
  return isZero;
}
