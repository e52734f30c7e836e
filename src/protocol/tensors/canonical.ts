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

/** @throws InferiumError InvalidName */
export function encodeCanonical(tensors: NamedTensors): Uint8Array {
  return writeTensors(tensors).slice();
}

/** The digest that a receipt names and a validator recomputes: sha256 of the canonical bytes. */
export function digestTensors(tensors: NamedTensors): Digest {
  return useCanonical(tensors, sha256);
}

/** Lends the canonical bytes to `use`, which must not keep them: they are overwritten by the next call. */
export function useCanonical<T>(tensors: NamedTensors, use: (bytes: Uint8Array) => T): T {
  return use(writeTensors(tensors));
}

/** Most outputs are small, and their bytes are only wanted for a moment: they are written here and not to new memory. */
const scratch = createTarget(256 * 1024);

interface Target {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

function createTarget(length: number): Target {
  const bytes = new Uint8Array(length);
  return { bytes, view: new DataView(bytes.buffer) };
}

/**
 * What `scratch` holds. A worker runs one model many times: where names, types and shapes are those of the call before,
 * only the data is written again.
 */
let held: readonly Part[] = [];
let heldLength = 0;

interface Part {
  readonly name: string;
  readonly dtype: Tensor["dtype"];
  readonly shape: readonly number[];
  /** Of its data. */
  readonly offset: number;
}

/** The encoding, valid until the next call. */
function writeTensors(tensors: NamedTensors): Uint8Array {
  if (isHeld(tensors)) return writeData(tensors);
  const bound = boundOf(tensors);
  const target = bound <= scratch.bytes.byteLength ? scratch : createTarget(bound);
  target.bytes.set(magic);
  let offset = writeU64(target, magic.byteLength, tensors.size);
  const parts: Part[] = [];
  // Until all is written, the scratch holds nothing that could be used again.
  if (target === scratch) held = [];
  for (const name of namesInOrder(tensors)) {
    const tensor = requireTensor(tensors, name);
    offset = writeTensor(target, offset, name, tensor);
    parts.push({ name, dtype: tensor.dtype, shape: [...tensor.shape], offset: offset - tensor.data.byteLength });
  }
  if (target === scratch) [held, heldLength] = [parts, offset];
  return target.bytes.subarray(0, offset);
}

/** Only for tensors that come in the order of their names; others are sorted first and written whole. */
function isHeld(tensors: NamedTensors): boolean {
  if (tensors.size !== held.length || held.length === 0) return false;
  let i = 0;
  for (const [name, { dtype, shape }] of tensors) {
    const part = held[i++];
    if (part === undefined || part.name !== name || part.dtype !== dtype) return false;
    if (!sameShape(part.shape, shape)) return false;
  }
  return true;
}

function sameShape(left: readonly number[], right: readonly number[]): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}

function writeData(tensors: NamedTensors): Uint8Array {
  let i = 0;
  for (const tensor of tensors.values()) scratch.bytes.set(normaliseNans(tensor), held[i++]?.offset);
  return scratch.bytes.subarray(0, heldLength);
}

/** Not less than the encoding's length: a UTF-16 unit takes at most three bytes of UTF-8, a dtype's name at most eight. */
function boundOf(tensors: NamedTensors): number {
  let bound = magic.byteLength + 8;
  for (const [name, { shape, data }] of tensors) bound += 40 + 3 * name.length + 8 * shape.length + data.byteLength;
  return bound;
}

function writeTensor(target: Target, start: number, name: string, tensor: Tensor): number {
  checkName(name);
  let offset = writeText(target, start, name);
  offset = writeText(target, offset, tensor.dtype);
  offset = writeU64(target, offset, tensor.shape.length);
  for (const size of tensor.shape) offset = writeU64(target, offset, size);
  const data = normaliseNans(tensor);
  offset = writeU64(target, offset, data.byteLength);
  target.bytes.set(data, offset);
  return offset + data.byteLength;
}

/** Names are short and almost always ASCII, and the encoder's call costs more than they do. */
function writeText(target: Target, start: number, text: string): number {
  const { bytes } = target;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return writeUnicode(target, start, text);
    bytes[start + 8 + i] = code;
  }
  writeU64(target, start, text.length);
  return start + 8 + text.length;
}

function writeUnicode(target: Target, start: number, text: string): number {
  const { written } = encoder.encodeInto(text, target.bytes.subarray(start + 8));
  writeU64(target, start, written);
  return start + 8 + written;
}

/** In two halves: a bigint for each of many small integers would be the largest cost of encoding. */
function writeU64({ view }: Target, offset: number, value: number): number {
  // The first store keeps the low 32 bits by itself.
  view.setUint32(offset, value, true);
  view.setUint32(offset + 4, value < 2 ** 32 ? 0 : Math.floor(value / 2 ** 32), true);
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
  const aligned = data.byteOffset % byteWidthOf(dtype) === 0 ? data : new Uint8Array(data);
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
