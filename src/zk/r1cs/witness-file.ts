/** Witnesses as wtns files, which snarkjs proves from. Format: iden3/snarkjs, version 2. Pure. */
import { fieldPrime, readElement, writeElement } from "../field.ts";
import { decodeBinaryFile, encodeBinaryFile, sectionOf } from "./binary-file.ts";

const magic = "wtns";
const elementBytes = 32;

export function encodeWitness(values: readonly bigint[]): Buffer {
  const header = Buffer.alloc(4 + elementBytes + 4);
  header.writeUInt32LE(elementBytes);
  writeElement(fieldPrime, header, 4);
  header.writeUInt32LE(values.length, 4 + elementBytes);
  const body = Buffer.alloc(elementBytes * values.length);
  values.forEach((value, wire) => {
    writeElement(value, body, elementBytes * wire);
  });
  return encodeBinaryFile(magic, 2, [
    { type: 1, bytes: header },
    { type: 2, bytes: body },
  ]);
}

/** @throws InferiumError InvalidBinaryFile */
export function decodeWitness(file: Uint8Array): bigint[] {
  const body = sectionOf(magic, decodeBinaryFile(magic, file), 2);
  return Array.from({ length: body.length / elementBytes }, (_, wire) => readElement(body, elementBytes * wire));
}
