/**
 * A proving key as the set-up handles it: its file's sections by type. Format: iden3/snarkjs, zkey version 1, Groth16; sections are
 * written in the order in which snarkjs writes them. Called by first-key.ts and key-step.ts. Effects: reads and writes key files.
 */
import { open, readFile } from "node:fs/promises";
import { readKeyFile } from "../ceremony/zkey-file.ts";
import { basePrime } from "../coordinates.ts";
import { fieldPrime, writeElement } from "../field.ts";
import { decodeBinaryFile } from "../r1cs/binary-file.ts";

export type KeySections = ReadonlyMap<number, Uint8Array>;

export const keySection = {
  protocol: 1,
  head: 2,
  /** A point of the verifying key for the constant and each public wire. */
  ic: 3,
  coefficients: 4,
  a: 5,
  b1: 6,
  b2: 7,
  c: 8,
  h: 9,
  steps: 10,
} as const;

export const [g1Bytes, g2Bytes] = [64, 128];

export interface KeyPoints {
  readonly alpha1: Uint8Array;
  readonly beta1: Uint8Array;
  readonly beta2: Uint8Array;
  readonly gamma2: Uint8Array;
  readonly delta1: Uint8Array;
  readonly delta2: Uint8Array;
}

const pointsAt = 84;
const groth16 = 1;
const magic = "zkey";

/** @throws InferiumError InvalidKeyFile */
export async function readKeySections(path: string): Promise<KeySections> {
  const bytes = await readFile(path);
  readKeyFile(bytes);
  return decodeBinaryFile(magic, bytes);
}

export async function writeKeySections(path: string, sections: KeySections): Promise<void> {
  const file = await open(path, "w");
  try {
    const head = Buffer.alloc(12);
    head.write(magic, "latin1");
    head.writeUInt32LE(1, 4);
    head.writeUInt32LE(sections.size, 8);
    await file.writeFile(head);
    for (const [type, bytes] of sections) {
      const sectionHead = Buffer.alloc(12);
      sectionHead.writeUInt32LE(type);
      sectionHead.writeBigUInt64LE(BigInt(bytes.length), 4);
      await file.writeFile(sectionHead);
      await file.writeFile(bytes);
    }
  } finally {
    await file.close();
  }
}

export function encodeProtocol(): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(groth16);
  return bytes;
}

export function encodeHead(
  { wireCount, publicCount, domainSize }: { wireCount: number; publicCount: number; domainSize: number },
  { alpha1, beta1, beta2, gamma2, delta1, delta2 }: KeyPoints,
): Uint8Array {
  const head = Buffer.alloc(pointsAt);
  head.writeUInt32LE(32);
  writeElement(basePrime, head, 4);
  head.writeUInt32LE(32, 36);
  writeElement(fieldPrime, head, 40);
  for (const [index, count] of [wireCount, publicCount, domainSize].entries())
    head.writeUInt32LE(count, 72 + 4 * index);
  return Buffer.concat([head, alpha1, beta1, beta2, gamma2, delta1, delta2]);
}

export function readHeadPoints(head: Uint8Array): KeyPoints {
  const lengths = [g1Bytes, g1Bytes, g2Bytes, g2Bytes, g1Bytes, g2Bytes];
  let end = pointsAt;
  const [alpha1, beta1, beta2, gamma2, delta1, delta2] = lengths.map((length) => {
    end += length;
    return head.slice(end - length, end);
  });
  return { alpha1, beta1, beta2, gamma2, delta1, delta2 } as KeyPoints;
}

/** The head with another delta: all else is as it was. */
export function replaceDelta(head: Uint8Array, delta1: Uint8Array, delta2: Uint8Array): Uint8Array {
  return Buffer.concat([head.subarray(0, head.length - g1Bytes - g2Bytes), delta1, delta2]);
}

/** A section's bytes; readKeySections has found it there. */
export function sectionBytes(sections: KeySections, type: number): Uint8Array {
  return sections.get(type) ?? new Uint8Array();
}
