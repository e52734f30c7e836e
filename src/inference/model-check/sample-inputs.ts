/**
 * Inputs for a first run of a model that nobody knows, from a seed and the model's signature alone: all who have the seed make the
 * same, so that what runtimes differ by can be told. Small values: many integers are indices. Pure.
 */
import { createHash } from "node:crypto";
import type * as ort from "onnxruntime-node";
import { byteWidthOf, type DType, isDType } from "../../protocol/tensors/dtype.ts";
import { viewElements } from "../../protocol/tensors/elements.ts";
import { createTensor, type NamedTensors, type Tensor } from "../../protocol/tensors/tensor.ts";

/** Of all inputs together. */
const maxElements = 2 ** 22;

/** Undefined where an input is no tensor, of a type that has no bytes, or too large. */
export function buildSampleInputs(
  inputs: readonly ort.InferenceSession.ValueMetadata[],
  seed: string,
): NamedTensors | undefined {
  const tensors = new Map<string, Tensor>();
  let total = 0;
  for (const input of inputs) {
    if (!input.isTensor || !isDType(input.type)) return undefined;
    // One of whatever is left open.
    const shape = input.shape.map((size) => (typeof size === "number" && size > 0 ? size : 1));
    const count = shape.reduce((product, size) => product * size, 1);
    total += count;
    if (total > maxElements) return undefined;
    tensors.set(input.name, drawTensor(input.type, shape, `${seed} ${input.name}`));
  }
  return tensors;
}

function drawTensor(dtype: DType, shape: readonly number[], seed: string): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const data = new Uint8Array(count * byteWidthOf(dtype));
  const tensor = createTensor(dtype, shape, data);
  const bytes = drawBytes(seed, count);
  if (dtype === "uint8" || dtype === "int8") data.set(bytes);
  else if (dtype === "float16") for (const [index, byte] of bytes.entries()) data[index * 2 + 1] = 0x38 + (byte & 3);
  else fill(tensor, bytes);
  return tensor;
}

function fill(tensor: Tensor, bytes: Uint8Array): void {
  const elements = viewElements(tensor);
  const { dtype } = tensor;
  for (const [index, byte] of bytes.entries()) {
    if (dtype === "bool") elements[index] = byte & 1;
    else if (elements instanceof BigInt64Array || elements instanceof BigUint64Array)
      elements[index] = BigInt(byte & 15);
    else elements[index] = dtype === "float32" || dtype === "float64" ? (byte - 128) / 128 : byte & 15;
  }
}

/** As many as asked for, 32 for each hash. */
function drawBytes(seed: string, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at += 32) {
    const hash = createHash("sha256").update(`${seed} ${at}`).digest();
    bytes.set(hash.subarray(0, Math.min(32, count - at)), at);
  }
  return bytes;
}
