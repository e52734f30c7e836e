/**
 * The canonical bytes of named tensors, over which receipts and votes agree (stages receipt and verdict). Same tensors,
 * same bytes, on every machine:
 *
 *   "inferium/tensors/v1" u64 count, then for each tensor in the order of its name's UTF-8 bytes:
 *   u64 length + name, u64 length + dtype, u64 rank + rank x u64 sizes, u64 length + data
 *
 * All integers little-endian. Every part carries its length, so no two lists of tensors share an encoding. Every NaN is
 * written as the one quiet NaN, because its payload differs between processors and means nothing; zeros keep their sign.
 */
import { type Digest, sha256 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { byteWidthOf, dtypes, parseDType } from "./dtype.ts";
import { normaliseNans } from "./nan.ts";
import { sameBytes } from "./same-bytes.ts";
import {
  checkName,
  createTensor,
  type NamedTensors,
  namesInOrder,
  requireTensor,
  type Tensor,
  tensorLimits,
} from "./tensor.ts";

const magic = new TextEncoder().encode("inferium/tensors/v1");
const encoder = new TextEncoder();

const dtypeNames: ReadonlyMap<string, Uint8Array> = new Map(dtypes.map((dtype) => [dtype, encoder.encode(dtype)]));

interface Part {
  readonly name: Uint8Array;
  readonly dtype: Uint8Array;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** @throws InferiumError InvalidName */
export function encodeCanonical(tensors: NamedTensors): Uint8Array {
  const { parts, total } = listParts(tensors);
  const bytes = new Uint8Array(total);
  writeParts(parts, bytes);
  return bytes;
}

/** Most outputs are small; their bytes are only wanted for the digest, and are written here instead of to new memory. */
const scratch = new Uint8Array(256 * 1024);

/** The digest that a receipt names and a validator recomputes: sha256 of the canonical bytes. */
export function digestTensors(tensors: NamedTensors): Digest {
  const { parts, total } = listParts(tensors);
  const bytes = total <= scratch.byteLength ? scratch.subarray(0, total) : new Uint8Array(total);
  writeParts(parts, bytes);
  return sha256(bytes);
}

function listParts(tensors: NamedTensors): { parts: Part[]; total: number } {
  const parts: Part[] = [];
  let total = magic.byteLength + 8;
  for (const name of namesInOrder(tensors)) {
    const part = toPart(name, requireTensor(tensors, name));
    parts.push(part);
    total += 32 + part.name.byteLength + part.dtype.byteLength + 8 * part.shape.length + part.data.byteLength;
  }
  return { parts, total };
}

function toPart(name: string, tensor: Tensor): Part {
  checkName(name);
  const dtype = dtypeNames.get(tensor.dtype) ?? encoder.encode(tensor.dtype);
  return { name: utf8Of(name), dtype, shape: tensor.shape, data: normaliseNans(tensor) };
}

/** Almost every name is ASCII, and the encoder's call costs more than such a name. */
function utf8Of(name: string): Uint8Array {
  const bytes = new Uint8Array(name.length);
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code >= 0x80) return encoder.encode(name);
    bytes[i] = code;
  }
  return bytes;
}

function writeParts(parts: readonly Part[], bytes: Uint8Array): void {
  const target = { bytes, view: new DataView(bytes.buffer, 0, bytes.byteLength) };
  bytes.set(magic);
  let offset = writeU64(target, magic.byteLength, parts.length);
  for (const { name, dtype, shape, data } of parts) {
    offset = writePrefixed(target, offset, name);
    offset = writePrefixed(target, offset, dtype);
    offset = writeU64(target, offset, shape.length);
    for (const size of shape) offset = writeU64(target, offset, size);
    offset = writePrefixed(target, offset, data);
  }
}

interface Target {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

function writePrefixed(target: Target, offset: number, part: Uint8Array): number {
  const start = writeU64(target, offset, part.byteLength);
  target.bytes.set(part, start);
  return start + part.byteLength;
}

/** In two halves: a bigint for each of many small integers would be the largest cost of encoding. */
function writeU64({ view }: Target, offset: number, value: number): number {
  view.setUint32(offset, value % 2 ** 32, true);
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
  return offset + 8;
}

/**
 * Strict inverse of encodeCanonical: bytes that it would not have written are refused.
 * @throws InferiumError InvalidCanonical, UnknownDType, InvalidShape, WrongByteLength
 */
export function decodeCanonical(bytes: Uint8Array): NamedTensors {
  const reader = createReader(bytes);
  if (!sameBytes(reader.take(magic.byteLength), magic)) throw invalid("does not begin with inferium/tensors/v1");
  const count = reader.u64(tensorLimits.tensors, "number of tensors");
  const tensors = new Map<string, Tensor>();
  for (let i = 0; i < count; i++) {
    const [name, tensor] = readTensor(reader);
    tensors.set(name, tensor);
  }
  if (reader.left() !== 0) throw invalid(`has ${reader.left()} bytes after its last tensor`);
  if (!sameBytes(encodeCanonical(tensors), bytes))
    throw invalid("has its names out of order, twice, or a NaN unnormalised");
  return tensors;
}

type Reader = ReturnType<typeof createReader>;

function readTensor(reader: Reader): [string, Tensor] {
  const name = reader.text(tensorLimits.nameBytes, "name");
  const dtype = parseDType(reader.text(16, "dtype"), `Tensor "${name}"`);
  const rank = reader.u64(tensorLimits.rank, "rank");
  const shape = Array.from({ length: rank }, () => reader.u64(tensorLimits.bytes, "axis"));
  const length = reader.u64(tensorLimits.bytes, "data length");
  const data = reader.take(length);
  // A view that is not aligned would be copied at every use; copy it once here.
  const aligned = data.byteOffset % byteWidthOf(dtype) === 0 ? data : data.slice();
  return [name, createTensor(dtype, shape, aligned, `Tensor "${name}"`)];
}

function createReader(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let offset = 0;
  const left = () => bytes.byteLength - offset;
  const take = (length: number) => {
    if (length > left()) throw invalid(`is cut off: ${length} bytes are named at ${offset}, ${left()} are left`);
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  const u64 = (limit: number, what: string) => {
    const start = offset;
    take(8);
    const value = view.getBigUint64(start, true);
    if (value > BigInt(limit)) throw invalid(`names a ${what} of ${value}; at most ${limit} is allowed`);
    return Number(value);
  };
  const text = (limit: number, what: string) => {
    const part = take(u64(limit, what));
    try {
      return decoder.decode(part);
    } catch (cause) {
      throw new InferiumError("InvalidCanonical", `Canonical tensors have a ${what} that is not UTF-8.`, { cause });
    }
  };
  return { left, take, u64, text };
}

function invalid(what: string): InferiumError {
  return new InferiumError("InvalidCanonical", `The encoding of canonical tensors ${what}.`);
}
