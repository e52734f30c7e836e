/** NaN normalisation: a NaN's payload and sign depend on the processor, so canonical bytes know one NaN per type. */
import { isFloat } from "./dtype.ts";
import { bytesOf, viewElements } from "./elements.ts";
import type { Tensor } from "./tensor.ts";

const quietNan16 = 0x7e00;
const quietNan32 = 0x7fc00000;
const quietNan64 = 0x7ff8000000000000n;

/** The tensor's bytes with every NaN made the quiet one; the very same array where there is none (the usual case). */
export function normaliseNans(tensor: Tensor): Uint8Array {
  if (!isFloat(tensor.dtype)) return tensor.data;
  const elements = viewElements(tensor);
  const isNan = tensor.dtype === "float16" ? isNan16 : isNanNumber;
  let first = 0;
  while (first < elements.length && !isNan(Number(elements[first]))) first++;
  if (first === elements.length) return tensor.data;
  return rewriteFrom({ ...tensor, data: bytesOf(elements).slice() }, first, isNan);
}

function rewriteFrom(copy: Tensor, first: number, isNan: (value: number) => boolean): Uint8Array {
  const elements = viewElements(copy);
  const bits = bitsOf(copy);
  for (let i = first; i < elements.length; i++) {
    if (isNan(Number(elements[i]))) bits.setNan(i);
  }
  return copy.data;
}

/** NaNs are written as integers: a float store may change the payload. */
function bitsOf(tensor: Tensor): { setNan(index: number): void } {
  const view = new DataView(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  if (tensor.dtype === "float64") return { setNan: (index) => view.setBigUint64(index * 8, quietNan64, true) };
  if (tensor.dtype === "float32") return { setNan: (index) => view.setUint32(index * 4, quietNan32, true) };
  return { setNan: (index) => view.setUint16(index * 2, quietNan16, true) };
}

function isNanNumber(value: number): boolean {
  return Number.isNaN(value);
}

function isNan16(bits: number): boolean {
  return (bits & 0x7fff) > 0x7c00;
}
