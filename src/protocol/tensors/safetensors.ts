/**
 * Safetensors files: u64 LE header length, JSON header {name: {dtype, shape, data_offsets: [begin, end]}}, then data.
 * Inputs by URI are such files, and they come from strangers: everything is checked before anything is allocated, and
 * data is viewed, not copied. Format: https://github.com/huggingface/safetensors (format section).
 */
import { InferiumError } from "../../base/errors.ts";
import { byteWidthOf, dtypeOfSafetensorsCode, safetensorsCodeOf } from "./dtype.ts";
import { findDuplicateKey } from "./json-keys.ts";
import {
  checkName,
  createTensor,
  type NamedTensors,
  namesInOrder,
  requireTensor,
  type Tensor,
  tensorLimits,
} from "./tensor.ts";

/** Ample for 4096 tensors; the format itself would allow 100 MB of JSON. */
const maxHeaderBytes = 4 * 1024 * 1024;

interface Entry {
  readonly name: string;
  readonly dtype: unknown;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** @throws InferiumError InvalidSafetensors, UnknownDType, InvalidShape, WrongByteLength, InvalidBool */
export function readSafetensors(bytes: Uint8Array): NamedTensors {
  const { header, dataStart } = readHeader(bytes);
  const dataBytes = bytes.byteLength - dataStart;
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => parseEntry(name, value, dataBytes));
  if (entries.length > tensorLimits.tensors)
    throw invalid(`names ${entries.length} tensors, over ${tensorLimits.tensors}`);
  checkLayout(entries, dataBytes);
  return new Map(entries.map((entry): [string, Tensor] => [entry.name, readEntry(entry, bytes, dataStart)]));
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.byteLength < 8) throw invalid(`is ${bytes.byteLength} bytes long, shorter than its length field of 8`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  const room = Math.min(bytes.byteLength - 8, maxHeaderBytes);
  if (length > BigInt(room)) throw invalid(`names a header of ${length} bytes; at most ${room} fit`);
  const dataStart = 8 + Number(length);
  const header = parseJson(bytes.subarray(8, dataStart));
  if (!isObject(header)) throw invalid("has a header that is not a JSON object");
  return { header, dataStart };
}

function parseJson(bytes: Uint8Array): unknown {
  // The format wants "{" first, which rules out byte order marks and leading blanks.
  if (bytes[0] !== 0x7b) throw invalid('has a header that does not begin with "{"');
  const text = decodeHeader(bytes);
  const duplicate = findDuplicateKey(text.source);
  if (duplicate !== undefined) throw invalid(`has a header with "${duplicate.slice(0, 40)}" twice`);
  return text.value;
}

function decodeHeader(bytes: Uint8Array): { source: string; value: unknown } {
  try {
    const source = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { source, value: JSON.parse(source) };
  } catch (cause) {
    throw new InferiumError("InvalidSafetensors", "The safetensors file has a header that is not UTF-8 JSON.", {
      cause,
    });
  }
}

function parseEntry(name: string, value: unknown, dataBytes: number): Entry {
  checkName(name);
  if (!isObject(value)) throw invalid(`describes tensor "${name}" by something that is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isNumbers(shape)) throw invalid(`gives tensor "${name}" a shape that is not a list of whole numbers`);
  if (!isNumbers(offsets) || offsets.length !== 2) throw invalid(`gives tensor "${name}" no two data_offsets`);
  const [begin = -1, end = -1] = offsets;
  if (begin < 0 || end < begin || end > dataBytes) {
    throw invalid(`puts tensor "${name}" at [${begin}, ${end}] of ${dataBytes} data bytes`);
  }
  return { name, dtype, shape, begin, end };
}

/** The format allows neither holes nor overlaps: every byte of data belongs to exactly one tensor. */
function checkLayout(entries: readonly Entry[], dataBytes: number): void {
  let expected = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== expected) {
      throw invalid(`has tensor "${entry.name}" begin at ${entry.begin}; expected ${expected}: no holes, no overlaps`);
    }
    expected = entry.end;
  }
  if (expected !== dataBytes) throw invalid(`has ${dataBytes - expected} bytes after its last tensor`);
}

function readEntry(entry: Entry, bytes: Uint8Array, dataStart: number): Tensor {
  const where = `Tensor "${entry.name}"`;
  const dtype = dtypeOfSafetensorsCode(entry.dtype, where);
  return createTensor(dtype, entry.shape, bytes.subarray(dataStart + entry.begin, dataStart + entry.end), where);
}

/** Writes tensors in name order, the data aligned to 8 bytes by padding the header with blanks: readable in place. */
export function writeSafetensors(tensors: NamedTensors): Uint8Array {
  const header: [string, unknown][] = [];
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, tensor] of inFileOrder(tensors)) {
    if (name === "__metadata__") throw invalid('cannot hold a tensor named "__metadata__"');
    const end = offset + tensor.data.byteLength;
    header.push([name, { dtype: safetensorsCodeOf(tensor.dtype), shape: tensor.shape, data_offsets: [offset, end] }]);
    parts.push(tensor.data);
    offset = end;
  }
  return joinFile(JSON.stringify(Object.fromEntries(header)), parts, offset);
}

/** Widest elements first, so that every tensor begins at a multiple of its width; then by name. */
function inFileOrder(tensors: NamedTensors): [string, Tensor][] {
  const named = namesInOrder(tensors).map((name): [string, Tensor] => [name, requireTensor(tensors, name)]);
  return named.sort(([, a], [, b]) => byteWidthOf(b.dtype) - byteWidthOf(a.dtype));
}

function joinFile(json: string, parts: readonly Uint8Array[], dataBytes: number): Uint8Array {
  const unpadded = new TextEncoder().encode(json);
  const headerBytes = Math.ceil(unpadded.byteLength / 8) * 8;
  const bytes = new Uint8Array(8 + headerBytes + dataBytes).fill(0x20, 8, 8 + headerBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(unpadded, 8);
  let offset = 8 + headerBytes;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(what: string): InferiumError {
  return new InferiumError("InvalidSafetensors", `The safetensors file ${what}.`);
}
