/**
 * Tensors as they stand in a task's `spec.input.inline` and `status.output.inline`: by name, with data as a list of
 * numbers for people or as base64 of the little-endian bytes for everything else.
 */
import { InferiumError } from "../../base/errors.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { byteWidthOf, isFloat, parseDType } from "./dtype.ts";
import { numberAt, tensorFrom, viewElements } from "./elements.ts";
import {
  checkName,
  countElements,
  createTensor,
  type NamedTensors,
  namesInOrder,
  requireTensor,
  type Tensor,
  tensorLimits,
} from "./tensor.ts";

export interface InlineTensor {
  dtype: string;
  shape: number[];
  data: number[] | string;
}

export type InlineTensors = Record<string, InlineTensor>;

/** Longer lists are written as base64: a list of numbers is for reading, and costs several times the bytes. */
const readableElements = 64;

/** Numbers where they are few and JSON can hold them exactly, base64 otherwise. Both read back to the same digest. */
export function tensorsToJson(tensors: NamedTensors): InlineTensors {
  return Object.fromEntries(namesInOrder(tensors).map((name) => [name, tensorToJson(requireTensor(tensors, name))]));
}

export function tensorToJson(tensor: Tensor): InlineTensor {
  const numbers = exactNumbers(tensor);
  return { dtype: tensor.dtype, shape: [...tensor.shape], data: numbers ?? encodeBase64(tensor.data) };
}

/** JSON has no NaN, no infinities, no minus zero (it is written as 0) and no integers beyond 2^53. */
function exactNumbers(tensor: Tensor): number[] | undefined {
  const elements = viewElements(tensor);
  if (elements.length > readableElements) return undefined;
  const numbers: number[] = [];
  for (let i = 0; i < elements.length; i++) {
    const value = Number(numberAt(tensor.dtype, elements, i));
    const exact = isFloat(tensor.dtype) ? Number.isFinite(value) && !Object.is(value, -0) : Number.isSafeInteger(value);
    if (!exact) return undefined;
    numbers.push(value);
  }
  return numbers;
}

/** @throws InferiumError InvalidInput, UnknownDType, InvalidShape, WrongByteLength, ValueOutOfRange, InvalidBool */
export function tensorsFromJson(json: unknown): NamedTensors {
  if (!isObject(json)) throw invalid(`Inline tensors are ${describe(json)}; expected an object of tensors by name.`);
  const entries = Object.entries(json);
  if (entries.length > tensorLimits.tensors) {
    throw invalid(`There are ${entries.length} inline tensors; at most ${tensorLimits.tensors} are allowed.`);
  }
  return new Map(entries.map(([name, value]) => [name, namedTensorFromJson(name, value)]));
}

function namedTensorFromJson(name: string, value: unknown): Tensor {
  checkName(name);
  return tensorFromJson(value, `Tensor "${name}"`);
}

export function tensorFromJson(json: unknown, where = "Tensor"): Tensor {
  if (!isObject(json)) throw invalid(`${where} is ${describe(json)}; expected {dtype, shape, data}.`);
  const dtype = parseDType(json.dtype, where);
  const shape = parseShape(json.shape, where);
  const count = countElements(shape, where);
  const data = json.data;
  if (typeof data === "string") {
    // Checked before decoding, so that a wrong shape costs nothing.
    return createTensor(dtype, shape, decodeBase64(data, count * byteWidthOf(dtype), where), where);
  }
  if (!Array.isArray(data)) throw invalid(`${where} has data that is ${describe(data)}; expected numbers or base64.`);
  if (data.length !== count) {
    throw invalid(`${where} has ${data.length} values; shape [${shape.join(",")}] needs ${count}.`);
  }
  return tensorFrom(dtype, shape, parseNumbers(data, where), where);
}

function parseShape(value: unknown, where: string): number[] {
  if (!Array.isArray(value) || !value.every((size) => typeof size === "number")) {
    throw invalid(`${where} has shape ${describe(value)}; expected a list of whole numbers.`);
  }
  return value;
}

function parseNumbers(values: readonly unknown[], where: string): number[] {
  return values.map((value, i) => {
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw invalid(`${where} element ${i} is ${describe(value)}; expected a finite number (give others as base64).`);
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "number") return String(value);
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

function invalid(message: string): InferiumError {
  return new InferiumError("InvalidInput", message);
}
