/**
 * The curve's endomorphism (Gallant, Lambert, Vanstone 2001): a point whose x is multiplied by a cube root of one is the point times
 * `lambda`. A scalar is thereby two of half its length, and a small one stays one small one. Pure.
 */
import { fieldPrime } from "../field.ts";

/** A cube root of one in the scalar field. */
export const lambda = 4407920970296243842393367215006156084916469457145843978461n;

/** Cube roots of one in the coordinates' field, for the first group and for the second: x times this is the point times `lambda`. */
export const betas = {
  g1m: 2203960485148121921418603742825762020974279258880205651966n,
  g2m: 21888242871839275220042445260109153167277707414472061641714758635765020556616n,
} as const;

type Vector = readonly [bigint, bigint];

const [left, right] = shortVectors();
/** Of the two vectors: the group's order, or its negative. */
const determinant = left[0] * right[1] - left[1] * right[0];

/** @returns halves such that scalar = first + second * lambda, each within 128 bits, of either sign */
export function splitScalar(scalar: bigint): Vector {
  const a = divideRounding(scalar * right[1], determinant);
  const b = divideRounding(-scalar * left[1], determinant);
  return [scalar - a * left[0] - b * right[0], -a * left[1] - b * right[1]];
}

/** Two short vectors (x, y) with x + y * lambda = 0 in the field: remainders of Euclid's algorithm about half the order's length. */
function shortVectors(): readonly [Vector, Vector] {
  const bound = 1n << 127n;
  let [older, newer]: [Vector, Vector] = [
    [fieldPrime, 0n],
    [lambda, 1n],
  ];
  while (older[0] >= bound) {
    const quotient = older[0] / newer[0];
    [older, newer] = [newer, [older[0] - quotient * newer[0], older[1] - quotient * newer[1]]];
  }
  const flip = ([rest, factor]: Vector): Vector => [rest, -factor];
  return [flip(older), flip(newer)];
}

function divideRounding(numerator: bigint, denominator: bigint): bigint {
  const [n, d] = denominator < 0n ? [-numerator, -denominator] : [numerator, denominator];
  const twice = 2n * n + d;
  const quotient = twice / (2n * d);
  return twice < 0n && quotient * 2n * d !== twice ? quotient - 1n : quotient;
}
