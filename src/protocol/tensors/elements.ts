/**
 * Typed views over a tensor's bytes. Views are zero-copy where the platform is little-endian (every platform Node runs
 * on here) and the bytes are aligned; otherwise the bytes are copied once.
 */
import { InferiumError } from "../../base/errors.ts";
import { byteWidthOf, type DType } from "./dtype.ts";
import { float16ToNumber, numberToFloat16 } from "./float16.ts";
import { createTensor, type Tensor } from "./tensor.ts";

/** float16 is seen as its 16 raw bits; bool as 0 or 1. */
export type ElementArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

type ViewConstructor = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => ElementArray;

const views: Readonly<Record<DType, ViewConstructor>> = {
  bool: Uint8Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
};

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Elements of a tensor, viewed in place where they are aligned. Do not write to it. */
export function viewElements(tensor: Tensor): ElementArray {
  if (!littleEndian)
    throw new InferiumError("BigEndian", "This platform is big-endian; tensors need a little-endian one.");
  const width = byteWidthOf(tensor.dtype);
  // Not slice(): that of a Buffer copies nothing.
  const bytes = tensor.data.byteOffset % width === 0 ? tensor.data : new Uint8Array(tensor.data);
  return new views[tensor.dtype](bytes.buffer, bytes.byteOffset, bytes.byteLength / width);
}

export function bytesOf(elements: ElementArray): Uint8Array {
  return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
}

/** The number at a place as arithmetic sees it; bigint for 64-bit integers, which a number cannot hold. */
export function numberAt(dtype: DType, elements: ElementArray, index: number): number | bigint {
  const value = elements[index] ?? 0;
  return dtype === "float16" ? float16ToNumber(Number(value)) : value;
}

type ElementInput = readonly (number | bigint)[];

/**
 * A tensor from numbers; for tests, demo data and JSON. Values must fit their type exactly, except that floats round.
 * @throws InferiumError InvalidShape, WrongByteLength, ValueOutOfRange
 */
export function tensorFrom(dtype: DType, shape: readonly number[], values: ElementInput, where = "tensor"): Tensor {
  const width = byteWidthOf(dtype);
  const bytes = new Uint8Array(values.length * width);
  const target = new views[dtype](bytes.buffer, 0, values.length);
  for (let i = 0; i < values.length; i++) setElement(target, i, dtype, values[i] ?? 0, where);
  return createTensor(dtype, shape, bytes, where);
}

function setElement(target: ElementArray, index: number, dtype: DType, value: number | bigint, where: string): void {
  if (dtype === "float32" || dtype === "float64") {
    target[index] = Number(value);
    return;
  }
  if (dtype === "float16") {
    target[index] = numberToFloat16(Number(value));
    return;
  }
  const whole = typeof value === "bigint" || Number.isSafeInteger(value);
  if (whole) writeInteger(target, index, value);
  // Typed arrays wrap silently; reading back tells whether the value fitted.
  const fitted = whole && BigInt(target[index] ?? 0) === BigInt(value) && !(dtype === "bool" && Number(value) > 1);
  if (!fitted) {
    throw new InferiumError("ValueOutOfRange", `${where} element ${index} is ${value}; it does not fit ${dtype}.`);
  }
}

function writeInteger(target: ElementArray, index: number, value: number | bigint): void {
  if (target instanceof BigInt64Array || target instanceof BigUint64Array) target[index] = BigInt(value);
  else target[index] = Number(value);
}
