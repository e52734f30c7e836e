/**
 * A Groth16 proving key as a prover holds it between proofs: its points, and the constraints' A and B as coefficients. Format: iden3's
 * zkey version 1. Called by prove-groth16.ts. Effects: reads the file.
 */
import { readFile, stat } from "node:fs/promises";
import { InferiumError } from "../../base/errors.ts";
import { type KeyFile, readKeyFile } from "../ceremony/zkey-file.ts";
import { readElement } from "../field.ts";
import { decodeBinaryFile } from "../r1cs/binary-file.ts";

export interface ProvingKey extends KeyFile {
  readonly alpha1: Uint8Array;
  readonly beta1: Uint8Array;
  readonly beta2: Uint8Array;
  readonly delta1: Uint8Array;
  readonly delta2: Uint8Array;
  /** A point for each wire: of A, of B in both groups. */
  readonly a: Uint8Array;
  readonly b1: Uint8Array;
  readonly b2: Uint8Array;
  /** A point for each wire that is not public, nor one. */
  readonly c: Uint8Array;
  /** A point for each value of the quotient. */
  readonly h: Uint8Array;
  readonly coefficients: Coefficients;
}

/** Of A and B; entry i of each array belongs together. */
export interface Coefficients {
  /** 0 for A, 1 for B. */
  readonly sides: Uint8Array;
  readonly constraints: Uint32Array;
  readonly wires: Uint32Array;
  /** Times 2^512 in the field, as the file has them. */
  readonly values: readonly bigint[];
}

const magic = "zkey";
const g1Bytes = 64;
const g2Bytes = 128;
/** Where the points of section 2 begin: after two primes with their sizes, and three numbers. */
const pointsAt = 84;
const coefficientBytes = 12 + 32;
/** Of a validator that proves several models: what all of them take is held by the process's limit. */
const mostKept = 4;

const kept = new Map<string, Promise<ProvingKey>>();

/** Of a file that was read before and has not changed since: as it was read. @throws InferiumError InvalidKeyFile */
export async function loadProvingKey(path: string): Promise<ProvingKey> {
  const { size, mtimeMs, ino } = await stat(path);
  const id = `${path} ${size} ${mtimeMs} ${ino}`;
  const key = kept.get(id) ?? readFile(path).then(decodeProvingKey);
  // Last in the map is used last.
  kept.delete(id);
  kept.set(id, key);
  key.catch(() => kept.delete(id));
  const [oldest] = kept.keys();
  if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
  return key;
}

/** @throws InferiumError InvalidKeyFile */
export function decodeProvingKey(file: Uint8Array): ProvingKey {
  const head = readKeyFile(file);
  const sections = decodeBinaryFile(magic, file);
  // Copies: a view into the file would take the whole file along to each thread.
  const section = (type: number) => Uint8Array.from(sections.get(type) ?? []);
  const points = section(2).subarray(pointsAt);
  const take = (offset: number, length: number) => points.slice(offset, offset + length);
  return {
    ...head,
    alpha1: take(0, g1Bytes),
    beta1: take(g1Bytes, g1Bytes),
    beta2: take(2 * g1Bytes, g2Bytes),
    delta1: take(2 * g1Bytes + 2 * g2Bytes, g1Bytes),
    delta2: take(3 * g1Bytes + 2 * g2Bytes, g2Bytes),
    a: section(5),
    b1: section(6),
    b2: section(7),
    c: section(8),
    h: section(9),
    coefficients: decodeCoefficients(section(4), head),
  };
}

function decodeCoefficients(bytes: Uint8Array, { wireCount, domainSize }: KeyFile): Coefficients {
  const view = new DataView(bytes.buffer);
  const count = bytes.length < 4 ? 0 : view.getUint32(0, true);
  if (bytes.length !== 4 + count * coefficientBytes) throw damaged("its coefficients are cut off");
  const sides = new Uint8Array(count);
  const [constraints, wires] = [new Uint32Array(count), new Uint32Array(count)];
  const values = new Array<bigint>(count);
  for (let index = 0; index < count; index++) {
    const offset = 4 + index * coefficientBytes;
    const [side, constraint, wire] = [0, 4, 8].map((at) => view.getUint32(offset + at, true)) as [
      number,
      number,
      number,
    ];
    if (side > 1 || constraint >= domainSize || wire >= wireCount) throw damaged(`coefficient ${index} has no place`);
    sides[index] = side;
    constraints[index] = constraint;
    wires[index] = wire;
    values[index] = readElement(bytes, offset + 12);
  }
  return { sides, constraints, wires, values };
}

function damaged(what: string): InferiumError {
  return new InferiumError("InvalidKeyFile", `The proving key is damaged: ${what}. Make it again.`);
}
