/**
 * What a window's file in the spool holds: a record of the window, then records of calls, in their order. A record is its length, the
 * CRC-32 of its bytes, and its bytes, so that one that was not written to its end is known for it; those of calls that are
 * written together are one record. Pure.
 *
 *   u32 length, u32 crc, then: u32 length of the JSON part, the JSON part, the data of its calls' tensors
 */
import { crc32 } from "node:zlib";
import { InferiumError } from "../../base/errors.ts";
import type { CallOutcome } from "../../protocol/calls.ts";
import { byteWidthOf, type DType } from "../../protocol/tensors/dtype.ts";
import { createTensor, type NamedTensors } from "../../protocol/tensors/tensor.ts";
import { describeKept } from "../meter/contents.ts";
import type { FinishedCall, WindowOwner } from "../meter/open-window.ts";

/** All that makes a window's id; its receipts were signed with this key, which is not kept. */
export interface SpooledWindow {
  readonly owner: WindowOwner;
  readonly nonce: string;
  readonly receiptKey: string;
}

export interface ReadWindow {
  readonly window: SpooledWindow;
  readonly calls: readonly FinishedCall[];
  /** Bytes at the end that are no whole record: what was being written when the gateway ended. */
  readonly tornBytes: number;
}

const spoolVersion = 1;
const prefixLength = 12;

type TensorParts = readonly (readonly [name: string, dtype: DType, shape: readonly number[], length: number])[];
type CallParts = readonly [CallOutcome, string, string, string, number, number, TensorParts | null, TensorParts | null];

export function encodeWindow(window: SpooledWindow): Buffer {
  return encode({ version: spoolVersion, ...window }, []);
}

export function encodeCalls(calls: readonly FinishedCall[]): Buffer {
  const data: Uint8Array[] = [];
  const describe = (tensors: NamedTensors | undefined): TensorParts | null => {
    if (tensors === undefined) return null;
    const parts: TensorParts[number][] = [];
    for (const [name, tensor] of tensors) {
      data.push(tensor.data);
      parts.push([name, tensor.dtype, tensor.shape, tensor.data.byteLength]);
    }
    return parts;
  };
  const parts = calls.map((call): CallParts => {
    const { outcome, inputDigest, outputDigest, priceWei, startedAtMs, endedAtMs, inputs, outputs } = call;
    const tensors = [describe(inputs), describe(outputs)] as const;
    return [outcome, inputDigest, outputDigest, priceWei.toString(), startedAtMs, endedAtMs, ...tensors];
  });
  return encode(parts, data);
}

function encode(json: object, data: readonly Uint8Array[]): Buffer {
  const text = JSON.stringify(json);
  const textLength = Buffer.byteLength(text);
  const length = data.reduce((sum, { byteLength }) => sum + byteLength, 4 + textLength);
  const record = Buffer.allocUnsafe(8 + length);
  record.writeUInt32LE(length, 0);
  record.writeUInt32LE(textLength, 8);
  record.write(text, prefixLength);
  let offset = prefixLength + textLength;
  for (const part of data) {
    record.set(part, offset);
    offset += part.byteLength;
  }
  record.writeUInt32LE(crc32(record.subarray(8)), 4);
  return record;
}

/** Undefined where not even the record of the window is whole: then no call is. @throws InferiumError UnknownSpool */
export function readWindow(bytes: Buffer): ReadWindow | undefined {
  const first = readRecord(bytes, 0);
  if (first === undefined) return undefined;
  const window = checkVersion(first.json);
  const calls: FinishedCall[] = [];
  let offset = first.end;
  for (let next = readRecord(bytes, offset); next !== undefined; next = readRecord(bytes, offset)) {
    calls.push(...decodeCalls(next));
    offset = next.end;
  }
  return { window, calls, tornBytes: bytes.length - offset };
}

function checkVersion(json: unknown): SpooledWindow {
  const { version, ...window } = json as SpooledWindow & { readonly version: unknown };
  if (version === spoolVersion) return window;
  const message = `The file is of version ${String(version).slice(0, 20)} of the spool; this gateway reads version ${spoolVersion}.`;
  throw new InferiumError("UnknownSpool", message);
}

interface ReadRecord {
  readonly json: unknown;
  readonly data: Buffer;
  readonly end: number;
}

function readRecord(bytes: Buffer, start: number): ReadRecord | undefined {
  if (bytes.length < start + prefixLength) return undefined;
  const end = start + 8 + bytes.readUInt32LE(start);
  if (end > bytes.length || end < start + prefixLength) return undefined;
  if (crc32(bytes.subarray(start + 8, end)) !== bytes.readUInt32LE(start + 4)) return undefined;
  const textEnd = start + prefixLength + bytes.readUInt32LE(start + 8);
  const json: unknown = JSON.parse(bytes.toString("utf8", start + prefixLength, textEnd));
  return { json, data: bytes.subarray(textEnd, end), end };
}

/** Its bytes have the sum that they were written with, so that they are what was written. */
function decodeCalls({ json, data }: ReadRecord): FinishedCall[] {
  let offset = 0;
  const read = (parts: TensorParts | null): NamedTensors | undefined => {
    if (parts === null) return undefined;
    return new Map(
      parts.map(([name, dtype, shape, length]) => {
        const from = data.subarray(offset, offset + length);
        offset += length;
        // A view that is not aligned would be copied at every use; copy it once here.
        const bytes = from.byteOffset % byteWidthOf(dtype) === 0 ? from : new Uint8Array(from);
        return [name, createTensor(dtype, shape, bytes, `Tensor "${name}"`)];
      }),
    );
  };
  return (json as readonly CallParts[]).map((parts) => {
    const [outcome, inputDigest, outputDigest, wei, startedAtMs, endedAtMs, inputs, outputs] = parts;
    const kept = describeKept(read(inputs), read(outputs));
    return { outcome, inputDigest, outputDigest, priceWei: BigInt(wei), startedAtMs, endedAtMs, ...kept };
  });
}
