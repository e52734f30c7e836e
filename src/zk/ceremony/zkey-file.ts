/**
 * What a proving key's file says about itself: its size, and every step that made it. Format: iden3/snarkjs, zkey version 1,
 * Groth16. Reads no more into it: that the steps are sound is for the backend to check. Pure.
 */
import { createHash } from "node:crypto";
import { InferiumError } from "../../base/errors.ts";
import { basePrime, decodeCoordinate } from "../coordinates.ts";
import { fieldPrime } from "../field.ts";
import { decodeBinaryFile, sectionOf } from "../r1cs/binary-file.ts";

/** One step of the second phase, as the key's file holds it. */
export interface KeyStep {
  readonly name: string;
  /** blake2b-512 in hex: what whoever made the step has published. snarkjs prints the same. */
  readonly hash: string;
  /** Of a beacon: the public value, in hex, and how often it is hashed. */
  readonly beacon?: { readonly value: string; readonly iterationsExponent: number };
}

export interface KeyFile {
  readonly wireCount: number;
  readonly publicCount: number;
  /** The least power of two that holds the circuit's constraints. */
  readonly domainSize: number;
  readonly steps: readonly KeyStep[];
}

const magic = "zkey";
const g1Bytes = 64;
const g2Bytes = 128;
const hashBytes = 64;

/** @throws InferiumError InvalidKeyFile */
export function readKeyFile(bytes: Uint8Array): KeyFile {
  try {
    return readSections(bytes);
  } catch (cause) {
    if (!(cause instanceof InferiumError) && !(cause instanceof RangeError)) throw cause;
    throw new InferiumError("InvalidKeyFile", `The proving key (${bytes.length} bytes) is damaged or cut off.`, {
      cause,
    });
  }
}

function readSections(bytes: Uint8Array): KeyFile {
  const sections = decodeBinaryFile(magic, bytes);
  const section = (type: number) => sectionOf(magic, sections, type);
  if (section(1).readUInt32LE(0) !== 1) throw invalid("is not one of Groth16");
  const head = section(2);
  const isBn254 = head.readUInt32LE(0) === 32 && readLittleEndian(head, 4) === basePrime;
  if (!isBn254 || head.readUInt32LE(36) !== 32 || readLittleEndian(head, 40) !== fieldPrime) {
    throw invalid("is not one over BN254");
  }
  const [wireCount, publicCount, domainSize] = [72, 76, 80].map((at) => head.readUInt32LE(at)) as [
    number,
    number,
    number,
  ];
  const sizes: readonly (readonly [type: number, size: number])[] = [
    [3, (publicCount + 1) * g1Bytes],
    [5, wireCount * g1Bytes],
    [6, wireCount * g1Bytes],
    [7, wireCount * g2Bytes],
    [8, (wireCount - publicCount - 1) * g1Bytes],
    [9, domainSize * g1Bytes],
  ];
  for (const [type, size] of sizes) {
    const got = section(type).length;
    if (got !== size) throw invalid(`holds ${got} bytes in section ${type}, expected ${size}`);
  }
  return { wireCount, publicCount, domainSize, steps: readSteps(section(10)) };
}

/** Circuit's hash, number of steps, and for each: points, transcript, kind and parameters. */
function readSteps(section: Buffer): KeyStep[] {
  const count = section.readUInt32LE(hashBytes);
  const steps: KeyStep[] = [];
  const pointBytes = 3 * g1Bytes + g2Bytes;
  let offset = hashBytes + 4;
  for (let index = 0; index < count; index++) {
    const head = section.subarray(offset, offset + pointBytes + hashBytes);
    const isBeacon = section.readUInt32LE(offset + head.length) === 1;
    const length = section.readUInt32LE(offset + head.length + 4);
    offset += head.length + 8;
    const parameters = readParameters(section.subarray(offset, offset + length));
    offset += length;
    if (offset > section.length) throw invalid(`ends within step ${index + 1}`);
    const { name, beacon } = parameters;
    if (isBeacon && beacon === undefined) throw invalid(`has a beacon without a value as step ${index + 1}`);
    steps.push({ name, hash: hashStep(head), ...(isBeacon && beacon ? { beacon } : {}) });
  }
  return steps;
}

/** 1: name. 2: exponent of the beacon's iterations, one byte. 3: the beacon's value. */
function readParameters(bytes: Buffer): Pick<KeyStep, "name" | "beacon"> {
  let [name, value, iterationsExponent, offset] = ["", "", 0, 0];
  while (offset < bytes.length) {
    const kind = bytes.readUInt8(offset);
    const next = bytes.readUInt8(offset + 1);
    offset += 2;
    if (kind === 2) {
      iterationsExponent = next;
      continue;
    }
    if (kind !== 1 && kind !== 3) throw invalid(`has a step with a parameter of unknown kind ${kind}`);
    const content = bytes.subarray(offset, offset + next);
    offset += next;
    if (kind === 1) name = content.toString("utf8");
    else value = content.toString("hex");
  }
  return value === "" ? { name } : { name, beacon: { value, iterationsExponent } };
}

/** Over the points as big-endian coordinates (of the second group: imaginary part first), then the transcript. */
function hashStep(head: Buffer): string {
  const hash = createHash("blake2b512");
  const coordinates = [0, 1, 2, 3, 4, 5, 7, 6, 9, 8];
  for (const index of coordinates) hash.update(toBigEndian(decodeCoordinate(head, 32 * index)));
  hash.update(head.subarray(-hashBytes));
  return hash.digest("hex");
}

function readLittleEndian(bytes: Buffer, offset: number): bigint {
  const part = bytes.subarray(offset, offset + 32);
  if (part.length < 32) throw invalid("ends within a number");
  return BigInt(`0x${Buffer.from(part).reverse().toString("hex")}`);
}

function toBigEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex");
}

function invalid(what: string): InferiumError {
  return new InferiumError("InvalidKeyFile", `The proving key ${what}. Make it again.`);
}
