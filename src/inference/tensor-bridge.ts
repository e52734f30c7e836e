/** Tensors between the protocol's form and onnxruntime's: views where bytes are aligned, never a copy of large data. */
import * as ort from "onnxruntime-node";
import { InferiumError } from "../base/errors.ts";
import { isDType } from "../protocol/tensors/dtype.ts";
import { viewElements } from "../protocol/tensors/elements.ts";
import { createTensor, type Tensor } from "../protocol/tensors/tensor.ts";

export function toOrtTensor(tensor: Tensor): ort.Tensor {
  // onnxruntime takes the raw bits of half-precision numbers as Uint16Array, as viewElements gives them.
  return new ort.Tensor(tensor.dtype, viewElements(tensor), tensor.shape);
}

/** @throws InferiumError UnsupportedOutput */
export function fromOrtTensor(name: string, value: ort.Tensor): Tensor {
  const { type, data } = value;
  if (!isDType(type) || !ArrayBuffer.isView(data)) {
    throw new InferiumError("UnsupportedOutput", `Output "${name}" has type ${type}, which has no canonical bytes.`);
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return createTensor(type, value.dims, bytes, `Output "${name}"`);
}
