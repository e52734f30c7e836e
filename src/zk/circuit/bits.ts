/**
 * Range proofs by bits: n bits of which each is 0 or 1 and whose sum is the value. With n far below 254 the sum cannot wrap
 * around, so that the bits are the only ones and the value lies in the range. The template: circuits/bits.circom.
 */
import { toSigned } from "../field.ts";
import { type ConstraintSystem, one, type Term, wireValue } from "../r1cs/constraint-system.ts";

/** Proves 0 <= wire < 2^count. @returns the bits, least first */
export function addUnsignedBits(system: ConstraintSystem, path: string, wire: number, count: number): number[] {
  return addBits(system, path, { wire, count, offset: 0n });
}

/** Proves -2^(count-1) <= wire < 2^(count-1). The last of the bits is 1 where the value is not negative. */
export function addSignedBits(system: ConstraintSystem, path: string, wire: number, count: number): number[] {
  return addBits(system, path, { wire, count, offset: 1n << BigInt(count - 1) });
}

interface Decomposition {
  readonly wire: number;
  readonly count: number;
  /** Added to the value, so that what is decomposed is not negative. */
  readonly offset: bigint;
}

function addBits(system: ConstraintSystem, path: string, { wire, count, offset }: Decomposition): number[] {
  system.alias(wire, `${path}.in`);
  const bits = system.addWires(`${path}.out`, count);
  for (const bit of bits) addBooleanCheck(system, bit);
  const rest: Term[] =
    offset === 0n
      ? [[wire, -1n]]
      : [
          [wire, -1n],
          [one, -offset],
        ];
  system.constrainZero([...weighBits(bits), ...rest]);
  system.steps.push((values) => {
    const value = toSigned(wireValue(values, wire)) + offset;
    bits.forEach((bit, index) => {
      values[bit] = (value >> BigInt(index)) & 1n;
    });
  });
  return bits;
}

export function addBooleanCheck(system: ConstraintSystem, wire: number): void {
  system.constrain(
    [[wire, 1n]],
    [
      [wire, 1n],
      [one, -1n],
    ],
    [],
  );
}

/** The number that the bits stand for. */
export function weighBits(bits: readonly number[]): Term[] {
  return bits.map((bit, index) => [bit, 1n << BigInt(index)]);
}
