/**
 * EZKL's structured reference string (halo2's ParamsKZG) from our powers of tau: both hold points as Montgomery words, little-endian. The
 * Lagrange basis is put into halo2's order, which takes another root of unity.
 */
import { readFile } from "node:fs/promises";
import { fieldPrime } from "../../../../src/zk/field.ts";
import { decodeBinaryFile, sectionOf } from "../../../../src/zk/r1cs/binary-file.ts";

const [g1Bytes, g2Bytes] = [64, 128];
/** Numbers that are no squares: snarkjs takes the least of them, halo2 one that generates the whole field. */
const [snarkjsNonResidue, halo2Generator] = [5n, 7n];

export async function buildEzklParameters(powersOfTauPath: string, logRows: number): Promise<Uint8ClampedArray> {
  const sections = decodeBinaryFile("ptau", await readFile(powersOfTauPath));
  const rows = 2 ** logRows;
  const powers = sectionOf("ptau", sections, 2).subarray(0, rows * g1Bytes);
  const g2 = sectionOf("ptau", sections, 3).subarray(0, 2 * g2Bytes);
  // Bases of 1, 2, 4 and so on points lie one after another.
  const basis = sectionOf("ptau", sections, 12).subarray((rows - 1) * g1Bytes, (2 * rows - 1) * g1Bytes);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(logRows);
  return new Uint8ClampedArray(Buffer.concat([head, powers, reorder(basis, logRows), g2]));
}

function reorder(basis: Buffer, logRows: number): Buffer {
  const rows = 2 ** logRows;
  const exponent = logarithmOf(rootOf(halo2Generator, logRows), rootOf(snarkjsNonResidue, logRows), rows);
  const ordered = Buffer.alloc(basis.length);
  for (let row = 0; row < rows; row++) {
    const from = (exponent * row) % rows;
    basis.copy(ordered, row * g1Bytes, from * g1Bytes, (from + 1) * g1Bytes);
  }
  return ordered;
}

/** A root of unity of order 2^logRows. */
function rootOf(base: bigint, logRows: number): bigint {
  return power(base, (fieldPrime - 1n) >> BigInt(logRows));
}

function logarithmOf(value: bigint, base: bigint, order: number): number {
  let [found, exponent] = [1n, 0];
  while (found !== value) {
    found = (found * base) % fieldPrime;
    exponent += 1;
    if (exponent > order) throw new Error("The two roots of unity do not span the same group.");
  }
  return exponent;
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % fieldPrime;
    square = (square * square) % fieldPrime;
  }
  return result;
}
