/**
 * The `data` of a tensor in JSON: a list of values, flat or nested by the shape, of as many elements. Values must fit their type
 * exactly; what JSON cannot hold exactly (integers beyond 2^53, NaN, infinities) is refused with the advice to send it as
 * binary, rather than changed: a receipt speaks of the very bytes. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import type { DType } from "../tensors/dtype.ts";
import { byteWidthOf, isFloat } from "../tensors/dtype.ts";
import { type ElementArray, numberAt, viewElements } from "../tensors/elements.ts";
import { numberToFloat16 } from "../tensors/float16.ts";
import { countElements, createTensor, type Tensor } from "../tensors/tensor.ts";

const advice = "send it as binary data (binary_data_size)";

/** @throws InferiumError InvalidInput, InvalidShape, ValueOutOfRange */
export function tensorFromData(dtype: DType, shape: readonly number[], data: unknown, where: string): Tensor {
  if (!Array.isArray(data)) throw invalid(`${where} has data that is ${describe(data)}; expected a list of values.`);
  const count = countElements(shape, where);
  const values = data.length > 0 && Array.isArray(data[0]) ? flatten(data, count, where) : data;
  if (values.length !== count) {
    throw invalid(`${where} has ${values.length} values; shape [${shape.join(",")}] needs ${count}.`);
  }
  const bytes = new Uint8Array(count * byteWidthOf(dtype));
  writeElements(dtype, viewElements({ dtype, shape, data: bytes }), values, where);
  return createTensor(dtype, shape, bytes, where);
}

/** One level after another, so that depth costs no stack; never more values than the shape has, whatever the lists say. */
function flatten(data: readonly unknown[], count: number, where: string): readonly unknown[] {
  let values = data;
  for (let depth = 0; Array.isArray(values[0]); depth++) {
    if (depth >= 16 || values.length > count) throw invalid(`${where} has lists in lists that do not fit its shape.`);
    const next: unknown[] = [];
    for (const part of values) {
      if (!Array.isArray(part)) throw invalid(`${where} mixes values and lists.`);
      if (next.length + part.length > count) throw invalid(`${where} has more than the ${count} values of its shape.`);
      for (const value of part) next.push(value);
    }
    values = next;
  }
  return values;
}

function writeElements(dtype: DType, target: ElementArray, values: readonly unknown[], where: string): void {
  if (dtype === "bool") writeBools(target, values, where);
  else if (target instanceof BigInt64Array || target instanceof BigUint64Array) writeWide(target, values, where);
  else writeNumbers(dtype, target, values, where);
}

function writeNumbers(dtype: DType, target: ElementArray, values: readonly unknown[], where: string): void {
  const half = dtype === "float16";
  const whole = !isFloat(dtype);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== "number" || !Number.isFinite(value)) throw notNumber(where, i, value);
    target[i] = half ? numberToFloat16(value) : value;
    // Typed arrays wrap silently; reading back tells whether the value fitted.
    if (whole && target[i] !== value) throw outOfRange(where, i, value, dtype);
  }
}

function writeWide(target: BigInt64Array | BigUint64Array, values: readonly unknown[], where: string): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== "number") throw notNumber(where, i, value);
    if (!Number.isSafeInteger(value)) {
      throw new InferiumError("ValueOutOfRange", `${where} element ${i} is no integer within 2^53; ${advice}.`);
    }
    target[i] = BigInt(value);
    if (value < 0 && target instanceof BigUint64Array) throw outOfRange(where, i, value, "uint64");
  }
}

function writeBools(target: ElementArray, values: readonly unknown[], where: string): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== "boolean" && value !== 0 && value !== 1) throw notNumber(where, i, value, "true or false");
    target[i] = value ? 1 : 0;
  }
}

/** Every engine that runs this has it; the compiler's library does not know it yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };
/** JSON.stringify would drop the sign, and with it the digest that the receipt names. */
const minusZero = rawJSON("-0");

/** Flat values, for JSON.stringify. @throws InferiumError NotInJson */
export function dataOf(name: string, tensor: Tensor): readonly unknown[] {
  const elements = viewElements(tensor);
  const values: unknown[] = new Array(elements.length);
  const isBool = tensor.dtype === "bool";
  const isExact = isFloat(tensor.dtype) ? Number.isFinite : Number.isSafeInteger;
  for (let i = 0; i < elements.length; i++) {
    const value = Number(numberAt(tensor.dtype, elements, i));
    if (!isExact(value)) throw notInJson(name, i);
    values[i] = isBool ? value === 1 : Object.is(value, -0) ? minusZero : value;
  }
  return values;
}

function notInJson(name: string, index: number): InferiumError {
  const message = `Output "${name}" element ${index} is a value that JSON cannot hold; ask for it as binary data ("binary_data": true).`;
  return new InferiumError("NotInJson", message);
}

function notNumber(where: string, index: number, value: unknown, expected = "a finite number"): InferiumError {
  return invalid(`${where} element ${index} is ${describe(value)}; expected ${expected}, or ${advice}.`);
}

function outOfRange(where: string, index: number, value: number, dtype: DType): InferiumError {
  return new InferiumError("ValueOutOfRange", `${where} element ${index} is ${value}; it does not fit ${dtype}.`);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

function invalid(message: string): InferiumError {
  return new InferiumError("InvalidInput", message);
}
