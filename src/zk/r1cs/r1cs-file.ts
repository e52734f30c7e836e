/**
 * Constraint systems as r1cs files, which snarkjs and circom's tools read, and back. Format: iden3/r1csfile, version 1.
 * Pure. Wires are ordered: one, public outputs, public inputs, private inputs, then the rest.
 */
import { fieldPrime, readElement, writeElement } from "../field.ts";
import { decodeBinaryFile, encodeBinaryFile, sectionOf } from "./binary-file.ts";
import type { Combination, ConstraintSystem, Term } from "./constraint-system.ts";

export interface WireLayout {
  readonly publicOutputs: number;
  readonly publicInputs: number;
  readonly privateInputs: number;
}

export interface Constraint {
  readonly a: Combination;
  readonly b: Combination;
  readonly c: Combination;
}

export interface R1cs {
  readonly layout: WireLayout;
  readonly wireCount: number;
  readonly constraints: readonly Constraint[];
}

const magic = "r1cs";
const elementBytes = 32;

export function encodeR1cs(system: ConstraintSystem, layout: WireLayout): Buffer {
  const header = Buffer.alloc(4 + elementBytes + 4 * 4 + 8 + 4);
  header.writeUInt32LE(elementBytes);
  writeElement(fieldPrime, header, 4);
  let offset = 4 + elementBytes;
  for (const count of [system.wireCount, layout.publicOutputs, layout.publicInputs, layout.privateInputs]) {
    offset = header.writeUInt32LE(count, offset);
  }
  offset = header.writeBigUInt64LE(BigInt(system.wireCount), offset);
  header.writeUInt32LE(system.constraints.count, offset);
  const labels = Buffer.alloc(8 * system.wireCount);
  for (let wire = 0; wire < system.wireCount; wire++) labels.writeBigUInt64LE(BigInt(wire), 8 * wire);
  return encodeBinaryFile(magic, 1, [
    { type: 2, bytes: system.constraints.bytes },
    { type: 1, bytes: header },
    { type: 3, bytes: labels },
  ]);
}

/** @throws InferiumError InvalidBinaryFile */
export function decodeR1cs(file: Uint8Array): R1cs {
  const sections = decodeBinaryFile(magic, file);
  const header = sectionOf(magic, sections, 1);
  const word = (index: number) => header.readUInt32LE(4 + elementBytes + 4 * index);
  const body = sectionOf(magic, sections, 2);
  let offset = 0;
  const readCombination = (): Combination => {
    const terms: Term[] = [];
    const count = body.readUInt32LE(offset);
    offset += 4;
    for (let i = 0; i < count; i++) {
      terms.push([body.readUInt32LE(offset), readElement(body, offset + 4)]);
      offset += 4 + elementBytes;
    }
    return terms;
  };
  const constraints = Array.from({ length: word(6) }, () => {
    const [a, b, c] = [readCombination(), readCombination(), readCombination()];
    return { a, b, c };
  });
  const layout = { publicOutputs: word(1), publicInputs: word(2), privateInputs: word(3) };
  return { layout, wireCount: word(0), constraints };
}

/** The first constraint that the witness breaks; undefined where it satisfies all. */
export function findBrokenConstraint(r1cs: R1cs, values: readonly bigint[]): number | undefined {
  const sum = (terms: Combination) => terms.reduce((total, [wire, k]) => total + k * (values[wire] ?? 0n), 0n);
  const index = r1cs.constraints.findIndex(({ a, b, c }) => (sum(a) * sum(b) - sum(c)) % fieldPrime !== 0n);
  return index < 0 ? undefined : index;
}
