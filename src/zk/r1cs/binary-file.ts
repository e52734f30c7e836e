/**
 * The container that iden3's tools use for r1cs and wtns files: magic, version, then sections of type (u32), size (u64) and
 * bytes, little-endian. Pure.
 */
import { InferiumError } from "../../base/errors.ts";

export interface Section {
  readonly type: number;
  readonly bytes: Uint8Array;
}

export function encodeBinaryFile(magic: string, version: number, sections: readonly Section[]): Buffer {
  const head = Buffer.alloc(12);
  head.write(magic, "latin1");
  head.writeUInt32LE(version, 4);
  head.writeUInt32LE(sections.length, 8);
  const parts = sections.flatMap(({ type, bytes }) => {
    const sectionHead = Buffer.alloc(12);
    sectionHead.writeUInt32LE(type);
    sectionHead.writeBigUInt64LE(BigInt(bytes.length), 4);
    return [sectionHead, bytes];
  });
  return Buffer.concat([head, ...parts]);
}

/** @returns sections by type @throws InferiumError InvalidBinaryFile */
export function decodeBinaryFile(magic: string, file: Uint8Array): Map<number, Uint8Array> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < 12 || bytes.toString("latin1", 0, 4) !== magic)
    throw broken(magic, "does not begin with its magic");
  const sections = new Map<number, Uint8Array>();
  let offset = 12;
  for (let count = bytes.readUInt32LE(8); count > 0; count--) {
    if (offset + 12 > bytes.length) throw broken(magic, "ends before its last section");
    const type = bytes.readUInt32LE(offset);
    const start = offset + 12;
    offset = start + Number(bytes.readBigUInt64LE(offset + 4));
    if (offset > bytes.length) throw broken(magic, `ends within section ${type}`);
    sections.set(type, bytes.subarray(start, offset));
  }
  return sections;
}

export function sectionOf(magic: string, sections: ReadonlyMap<number, Uint8Array>, type: number): Buffer {
  const bytes = sections.get(type);
  if (bytes === undefined) throw broken(magic, `has no section ${type}`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function broken(magic: string, what: string): InferiumError {
  return new InferiumError("InvalidBinaryFile", `A file that should be ${magic} ${what}. Make it again.`);
}
