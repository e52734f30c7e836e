/**
 * Range proofs by bits: n bits of which each is 0 or 1 and whose sum is the value. With n far below 254 the sum cannot wrap
 * around, so that the bits are the only ones and the value lies in the range. The templates: circuits/bits.circom.
 */
import { invert, mod, toSigned } from "../field.ts";
import {
  type Combination,
  type ConstraintSystem,
  combine,
  evaluate,
  one,
  type Term,
  wireValue,
} from "../r1cs/constraint-system.ts";

/** Proves 0 <= wire < 2^count. @returns the bits, least first */
export function addUnsignedBits(system: ConstraintSystem, path: string, wire: number, count: number): number[] {
  system.alias(wire, `${path}.in`);
  const bits = addBits(system, path, count);
  system.constrainZero([...weighBits(bits), [wire, -1n]]);
  assignBits(system, bits, (values) => toSigned(wireValue(values, wire)));
  return bits;
}

export interface LowerBits {
  /** All bits but the last, least first. */
  readonly lower: readonly number[];
  /** The last bit, which has no wire of its own. */
  readonly last: Combination;
}

/** Proves -2^(count-1) <= sum < 2^(count-1). The last bit is 1 where the sum is not negative. */
export function addSignedBits(system: ConstraintSystem, path: string, sum: readonly Term[], count: number): LowerBits {
  return addLowerBits(system, path, sum, { count, offset: 1n << BigInt(count - 1) });
}

/** Proves 0 <= sum + offset < 2^count: what the lower bits leave is 0 or 2^(count-1), which takes no wire. @param sum without a constant */
export function addLowerBits(
  system: ConstraintSystem,
  path: string,
  sum: readonly Term[],
  { count, offset = 0n }: { readonly count: number; readonly offset?: bigint },
): LowerBits {
  sum.forEach(([wire], index) => {
    system.alias(wire, `${path}.in[${index}]`);
  });
  const whole: Combination = offset === 0n ? sum : [[one, offset], ...sum];
  const lower = addBits(system, path, count - 1);
  assignBits(system, lower, (values) => toSigned(evaluate(whole, values)));
  const highest = 1n << BigInt(count - 1);
  const rest: Combination = [...whole, ...lower.map((bit, index): Term => [bit, -(1n << BigInt(index))])];
  const below = combine([
    [1n, rest],
    [-highest, [[one, 1n]]],
  ]);
  system.constrain(rest, below, []);
  const scale = invert(highest);
  return { lower, last: rest.map(([wire, coefficient]): Term => [wire, mod(coefficient * scale)]) };
}

function addBits(system: ConstraintSystem, path: string, count: number): number[] {
  const bits = system.addWires(`${path}.out`, count);
  for (const bit of bits) addBooleanCheck(system, bit);
  return bits;
}

function assignBits(
  system: ConstraintSystem,
  bits: readonly number[],
  compute: (values: readonly bigint[]) => bigint,
): void {
  system.steps.push((values) => {
    const value = compute(values);
    bits.forEach((bit, index) => {
      values[bit] = (value >> BigInt(index)) & 1n;
    });
  });
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
