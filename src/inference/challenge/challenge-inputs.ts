/**
 * The seeded matrices of a challenge. Each row of A and each column of X has a stream of its own (xoshiro128**, seeded by a
 * hash of the seed and the index), so that a validator makes the few columns that it looks at without the others. Pure.
 */
import { createHash } from "node:crypto";

/** Whole numbers from `low` on, 16 of them, into `values` from `start` on, every `stride`. */
interface Target {
  readonly values: Float32Array;
  readonly start: number;
  readonly stride: number;
  readonly count: number;
  readonly low: number;
}

export function makeMatrix(seed: string, size: number): Float32Array {
  return makeRows(openRows(seed, "a", size), { length: size, low: -8 });
}

/** Left factor of what X starts from: `size` rows of `rank`. */
export function makeLeft(seed: string, size: number, rank: number): Float32Array {
  return makeRows(openRows(seed, "u", size), { length: rank, low: 0 });
}

/** Columns of its right factor. @param columns their numbers in the challenge */
export function makeRight(seed: string, rank: number, columns: readonly number[]): Float32Array {
  const values = new Float32Array(rank * columns.length);
  columns.forEach((column, at) => {
    fill(openStream(seed, "v", column), { values, start: at, stride: columns.length, count: rank, low: 0 });
  });
  return values;
}

function openRows(seed: string, name: string, count: number): Uint32Array[] {
  return Array.from({ length: count }, (_, row) => openStream(seed, name, row));
}

function makeRows(streams: readonly Uint32Array[], { length, low }: { length: number; low: number }): Float32Array {
  const values = new Float32Array(streams.length * length);
  streams.forEach((stream, row) => {
    fill(stream, { values, start: row * length, stride: 1, count: length, low });
  });
  return values;
}

function openStream(seed: string, name: string, index: number): Uint32Array {
  const hash = createHash("sha256").update(`${seed} ${name} ${index}`).digest();
  return Uint32Array.from({ length: 4 }, (_, word) => hash.readUInt32LE(word * 4));
}

function fill(state: Uint32Array, { values, start, stride, count, low }: Target): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (let index = 0, at = start; index < count; index++, at += stride) {
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9);
    values[at] = (scrambled >>> 28) + low;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
  }
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}
