/**
 * Scalars as point-summer.ts works through them: two halves over the endomorphism, each in width-6 non-adjacent form, digits that are
 * odd and below 32 with five zeros after each. Pure.
 */
import { splitScalar } from "./endomorphism.ts";

export interface RecodedScalar {
  /** Positions from the least to the highest that has a digit. */
  readonly length: number;
  /** Of the point, and of its image under the endomorphism, by position. */
  readonly first: Int8Array;
  readonly second: Int8Array;
  /** No digit but 1 and -1, and none of the image: the point itself is all that is needed. */
  readonly isPlain: boolean;
}

export const windowBits = 6;
/** Odd multiples 1, 3, ... 31. */
export const multiples = 1 << (windowBits - 2);
/** A half has 128 bits at most, and a carry. */
const positions = 132;

export function recodeScalar(scalar: bigint): RecodedScalar {
  const [first, second] = splitScalar(scalar).map(toNonAdjacentForm) as [Int8Array, Int8Array];
  const length = 1 + Math.max(highest(first), highest(second));
  const isPlain = highest(second) < 0 && first.every((digit) => digit >= -1 && digit <= 1);
  return { length, first, second, isPlain };
}

function toNonAdjacentForm(value: bigint): Int8Array {
  const digits = new Int8Array(positions);
  let rest = value;
  for (let position = 0; rest !== 0n; position++, rest >>= 1n) {
    if ((rest & 1n) === 0n) continue;
    const digit = BigInt.asIntN(windowBits, rest);
    digits[position] = Number(digit);
    rest -= digit;
  }
  return digits;
}

function highest(digits: Int8Array): number {
  return digits.findLastIndex((digit) => digit !== 0);
}
