/**
 * Round constants and matrix of Poseidon over BN254 with x^5, made as its authors define them (Grassi et al. 2019, appendix
 * F): the Grain LFSR in self-shrinking mode, seeded with the parameters, so that nobody chose them. Pure.
 */
import { fieldPrime, invert } from "../field.ts";

export interface PoseidonParameters {
  /** Field elements in the state. */
  readonly width: number;
  /** Rounds in which every element passes the S-box, half of them at each end. */
  readonly fullRounds: number;
  /** Rounds in which the first element alone does. */
  readonly partialRounds: number;
  /** One row of constants for each round. */
  readonly roundConstants: readonly (readonly bigint[])[];
  readonly matrix: readonly (readonly bigint[])[];
}

const elementBits = 254;
const fullRounds = 8;
/** Partial rounds for 128 bits of security by width, from the paper's script; index 0 is width 2. */
const partialRoundsByWidth = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];

export const largestWidth = 1 + partialRoundsByWidth.length;

/** Of one permutation. @param width 2 to 17 */
export function countSBoxes(width: number): number {
  return fullRounds * width + (partialRoundsByWidth[width - 2] ?? 0);
}

const made = new Map<number, PoseidonParameters>();

/** @param width 2 to 17 */
export function poseidonParameters(width: number): PoseidonParameters {
  const known = made.get(width);
  if (known !== undefined) return known;
  const parameters = makeParameters(width);
  made.set(width, parameters);
  return parameters;
}

function makeParameters(width: number): PoseidonParameters {
  const partialRounds = partialRoundsByWidth[width - 2];
  if (partialRounds === undefined) throw new RangeError(`Poseidon's width is ${width}; expected 2 to 17.`);
  const nextBit = createGrain(width, partialRounds);
  const row = () => Array.from({ length: width }, () => nextElement(nextBit));
  const roundConstants = Array.from({ length: fullRounds + partialRounds }, row);
  return { width, fullRounds, partialRounds, roundConstants, matrix: makeMatrix(width, nextBit) };
}

function createGrain(width: number, partialRounds: number): () => number {
  const fields: readonly (readonly [value: number, bits: number])[] = [
    [1, 2], // a prime field
    [0, 4], // the S-box x^5
    [elementBits, 12],
    [width, 12],
    [fullRounds, 10],
    [partialRounds, 10],
    [2 ** 30 - 1, 30],
  ];
  const ring = fields.flatMap(([value, bits]) => [...value.toString(2).padStart(bits, "0")].map(Number));
  let head = 0;
  const tap = (index: number) => ring[(head + index) % ring.length] ?? 0;
  const step = () => {
    const bit = tap(62) ^ tap(51) ^ tap(38) ^ tap(23) ^ tap(13) ^ tap(0);
    ring[head] = bit;
    head = (head + 1) % ring.length;
    return bit;
  };
  for (let i = 0; i < 160; i++) step();
  // Bits come in pairs: the first says whether the second counts.
  return () => {
    while (step() === 0) step();
    return step();
  };
}

function nextNumber(nextBit: () => number): bigint {
  let value = 0n;
  for (let i = 0; i < elementBits; i++) value = (value << 1n) | BigInt(nextBit());
  return value;
}

function nextElement(nextBit: () => number): bigint {
  for (;;) {
    const value = nextNumber(nextBit);
    if (value < fieldPrime) return value;
  }
}

/** A Cauchy matrix, 1 / (x + y): every square part of it is invertible. */
function makeMatrix(width: number, nextBit: () => number): bigint[][] {
  const points = Array.from({ length: 2 * width }, () => nextNumber(nextBit) % fieldPrime);
  const ys = points.slice(width);
  return points.slice(0, width).map((x) => ys.map((y) => invert(x + y)));
}
