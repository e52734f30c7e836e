/** Tensors of a request's inputs or an answer's outputs, each with its data in JSON or, by its size, in the binary part. Pure. */
import { InferiumError } from "../../base/errors.ts";
import { checkName, createTensor, type NamedTensors, type Tensor, tensorLimits } from "../tensors/tensor.ts";
import { dtypeOfDatatype } from "./datatype.ts";
import { tensorFromData } from "./tensor-data.ts";

/** @param what `input` or `output`, for messages @throws InferiumError InvalidInput and those of tensors */
export function readTensors(list: unknown, binary: Uint8Array, what: "input" | "output"): NamedTensors {
  if (!Array.isArray(list)) throw invalid(`"${what}s" is missing or no list.`);
  if (list.length > tensorLimits.tensors)
    throw invalid(`There are ${list.length} ${what}s; at most ${tensorLimits.tensors}.`);
  const tensors = new Map<string, Tensor>();
  let offset = 0;
  for (const item of list) {
    const { name, entry, where } = readEntry(item, what);
    const size = readBinarySize(entry.parameters, where);
    const dtype = dtypeOfDatatype(entry.datatype, where);
    const shape = readShape(entry.shape, where);
    if (tensors.has(name)) throw invalid(`${where} is there twice.`);
    if (size === undefined) tensors.set(name, tensorFromData(dtype, shape, entry.data, where));
    else {
      if (entry.data !== undefined) throw invalid(`${where} has both "data" and "binary_data_size".`);
      if (offset + size > binary.byteLength) {
        throw invalid(`${where} has ${size} binary bytes; ${binary.byteLength - offset} are left after the JSON part.`);
      }
      tensors.set(name, createTensor(dtype, shape, binary.subarray(offset, offset + size), where));
      offset += size;
    }
  }
  if (offset !== binary.byteLength) throw invalid(`${binary.byteLength - offset} bytes follow the last binary tensor.`);
  return tensors;
}

function readEntry(item: unknown, what: string): { name: string; entry: Record<string, unknown>; where: string } {
  if (!isObject(item) || typeof item.name !== "string") throw invalid(`An ${what} is no object with a "name".`);
  checkName(item.name);
  return { name: item.name, entry: item, where: `The ${what} "${item.name.slice(0, 80)}"` };
}

function readShape(shape: unknown, where: string): readonly number[] {
  if (Array.isArray(shape) && shape.every((size) => typeof size === "number")) return shape;
  throw invalid(`${where} has no "shape"; expected a list of whole numbers.`);
}

function readBinarySize(parameters: unknown, where: string): number | undefined {
  if (parameters === undefined) return undefined;
  if (!isObject(parameters)) throw invalid(`${where} has "parameters" that are no object.`);
  if (parameters.shared_memory_region !== undefined)
    throw invalid(`${where} is in shared memory, which is not supported.`);
  const size = parameters.binary_data_size;
  if (size === undefined) return undefined;
  if (typeof size === "number" && Number.isSafeInteger(size) && size >= 0) return size;
  throw invalid(`${where} has a "binary_data_size" that is no whole number.`);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string): InferiumError {
  return new InferiumError("InvalidInput", message);
}
