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
import { byteWidthOf, parseDType } from "./dtype.ts";
import { normaliseNans } from "./nan.ts";
import { sameBytes } from "./same-bytes.ts";
import { createTensor, type NamedTensors, namesInOrder, type Tensor, tensorLimits } from "./tensor.ts";

const magic = new TextEncoder().encode("inferium/tensors/v1");
const encoder = new TextEncoder();

export function encodeCanonical(tensors: NamedTensors): Uint8Array {
  const parts = namesInOrder(tensors).map((name) => encodeHead(name, tensors.get(name)));
  const total = parts.reduce((sum, part) => sum + part.head.byteLength + part.data.byteLength, magic.byteLength + 8);
  const bytes = new Uint8Array(total);
  bytes.set(magic);
  new DataView(bytes.buffer).setBigUint64(magic.byteLength, BigInt(parts.length), true);
  let offset = magic.byteLength + 8;
  for (const part of parts) {
    bytes.set(part.head, offset);
    bytes.set(part.data, offset + part.head.byteLength);
    offset += part.head.byteLength + part.data.byteLength;
  }
  return bytes;
}

/** The digest that a receipt names and a validator recomputes. */
export function digestTensors(tensors: NamedTensors): Digest {
  return sha256(encodeCanonical(tensors));
}

function encodeHead(name: string, tensor: Tensor | undefined): { head: Uint8Array; data: Uint8Array } {
  if (tensor === undefined) throw new InferiumError("MissingTensor", `There is no tensor "${name}".`);
  const nameBytes = encoder.encode(name);
  const dtypeBytes = encoder.encode(tensor.dtype);
  const data = normaliseNans(tensor);
  const head = new Uint8Array(8 + nameBytes.length + 8 + dtypeBytes.length + 8 + 8 * tensor.shape.length + 8);
  const writer = createWriter(head);
  writer.prefixed(nameBytes);
  writer.prefixed(dtypeBytes);
  writer.u64(tensor.shape.length);
  for (const size of tensor.shape) writer.u64(size);
  writer.u64(data.byteLength);
  return { head, data };
}

function createWriter(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  const u64 = (value: number) => {
    view.setBigUint64(offset, BigInt(value), true);
    offset += 8;
  };
  const prefixed = (part: Uint8Array) => {
    u64(part.byteLength);
    bytes.set(part, offset);
    offset += part.byteLength;
  };
  return { u64, prefixed };
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
