/**
 * The part of Protocol Buffers' wire format that ONNX files need: a message as its fields by number. Pure. Called by whoever
 * reads a model without running it: its scan, and the makers of circuits. Lengths are checked, nothing is copied.
 */
import { InferiumError } from "../../base/errors.ts";

export type Field = bigint | Uint8Array;
export type Fields = ReadonlyMap<number, readonly Field[]>;

/** @throws InferiumError InvalidModel */
export function readFields(bytes: Uint8Array): Fields {
  const fields = new Map<number, Field[]>();
  let offset = 0;
  const readVarint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[offset++];
      if (byte === undefined || shift > 63n) throw invalid(`has a broken number at byte ${offset}`);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
  };
  const take = (length: number) => {
    const end = offset + length;
    if (end > bytes.length) throw invalid(`ends within a field of ${length} bytes at byte ${offset}`);
    const part = bytes.subarray(offset, end);
    offset = end;
    return part;
  };
  while (offset < bytes.length) {
    const tag = readVarint();
    const number = Number(tag >> 3n);
    // Of a file of zeros every two bytes would be a field.
    if (number === 0) throw invalid(`has a field of number 0 at byte ${offset}`);
    const list = fields.get(number) ?? [];
    fields.set(number, list);
    list.push(readValue(Number(tag & 7n), readVarint, take));
  }
  return fields;
}

function readValue(wireType: number, readVarint: () => bigint, take: (length: number) => Uint8Array): Field {
  if (wireType === 0) return readVarint();
  if (wireType === 1) return take(8);
  if (wireType === 2) return take(Number(readVarint()));
  if (wireType === 5) return take(4);
  throw invalid(`has a field of wire type ${wireType}, which is not in use`);
}

export function messagesOf(fields: Fields, number: number): Fields[] {
  return bytesOf(fields, number).map(readFields);
}

export function stringsOf(fields: Fields, number: number): string[] {
  return bytesOf(fields, number).map((bytes) => new TextDecoder().decode(bytes));
}

export function bytesOf(fields: Fields, number: number): Uint8Array[] {
  return (fields.get(number) ?? []).filter((field) => typeof field !== "bigint");
}

/** Signed numbers of a repeated field, packed or not. */
export function integersOf(fields: Fields, number: number): bigint[] {
  return (fields.get(number) ?? []).flatMap((field) => {
    if (typeof field === "bigint") return [BigInt.asIntN(64, field)];
    return readPacked(field);
  });
}

function readPacked(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  let [value, shift] = [0n, 0n];
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    values.push(BigInt.asIntN(64, value));
    [value, shift] = [0n, 0n];
  }
  return values;
}

function invalid(what: string): InferiumError {
  return new InferiumError("InvalidModel", `The model ${what}. Expected an ONNX file; export the model again.`);
}
