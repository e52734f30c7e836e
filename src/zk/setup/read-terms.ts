/**
 * An r1cs file as terms: wires and coefficients in the order of the file. Of coefficients each value is held once: a layer has as many as
 * there are weights, and few that differ. Called by first-key.ts. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import { fieldPrime, readElement } from "../field.ts";
import { decodeBinaryFile, sectionOf } from "../r1cs/binary-file.ts";
import { DistinctValues } from "./distinct-values.ts";

export interface CircuitSize {
  readonly wireCount: number;
  readonly publicCount: number;
  readonly constraintCount: number;
  /** The least power of two above constraints and public wires. */
  readonly domainSize: number;
}

/** The constraints' A, B and C, one after another. */
export interface Terms {
  readonly wires: Uint32Array;
  /** Which of the values. */
  readonly coefficients: Uint32Array;
  /** Where the terms of each combination end; three for each constraint. */
  readonly ends: Uint32Array;
  readonly values: DistinctValues;
}

const magic = "r1cs";
const [termBytes, elementBytes] = [4 + 32, 32];

/** @throws InferiumError InvalidBinaryFile, InvalidR1cs */
export function readTerms(file: Uint8Array): { readonly size: CircuitSize; readonly terms: Terms } {
  const sections = decodeBinaryFile(magic, file);
  const size = readSize(sectionOf(magic, sections, 1));
  return { size, terms: readConstraints(sectionOf(magic, sections, 2), size) };
}

function readSize(section: Buffer): CircuitSize {
  if (section.length < 64 || section.readUInt32LE(0) !== elementBytes || readElement(section, 4) !== fieldPrime) {
    throw invalid("is not over the field of BN254");
  }
  const word = (index: number) => section.readUInt32LE(4 + elementBytes + 4 * index);
  const [wireCount, publicCount, constraintCount] = [word(0), word(1) + word(2), word(6)];
  if (publicCount >= wireCount) throw invalid("has more public wires than wires");
  const power = 1 + Math.max(0, 31 - Math.clz32(constraintCount + publicCount));
  return { wireCount, publicCount, constraintCount, domainSize: 2 ** power };
}

function readConstraints(section: Buffer, { constraintCount, wireCount }: CircuitSize): Terms {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  const most = Math.ceil(section.length / termBytes);
  const [wires, coefficients] = [new Uint32Array(most), new Uint32Array(most)];
  const ends = new Uint32Array(3 * constraintCount);
  const values = new DistinctValues();
  let [offset, count] = [0, 0];
  for (let combination = 0; combination < ends.length; combination++) {
    const length = offset + 4 <= section.length ? view.getUint32(offset, true) : -1;
    offset += 4;
    if (length < 0 || offset + length * termBytes > section.length) throw invalid("ends within its constraints");
    for (let term = 0; term < length; term++, offset += termBytes, count++) {
      const [wire, value] = [view.getUint32(offset, true), readElement(section, offset + 4)];
      if (wire >= wireCount) throw invalid(`names wire ${wire} of ${wireCount}`);
      if (value >= fieldPrime) throw invalid("has a coefficient that is not below the field's prime");
      wires[count] = wire;
      coefficients[count] = values.add(value);
    }
    ends[combination] = count;
  }
  if (offset !== section.length) throw invalid("goes on after its constraints");
  return { wires, coefficients, ends, values };
}

function invalid(what: string): InferiumError {
  return new InferiumError("InvalidR1cs", `The constraint system ${what}. Compile the circuit again.`);
}
