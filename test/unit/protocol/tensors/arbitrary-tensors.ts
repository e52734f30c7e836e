/** fast-check generators of tensors: any dtype, any bits (so also NaN, infinities and minus zero), odd names. */
import fc from "fast-check";
import { byteWidthOf, type DType, dtypes } from "../../../../src/protocol/tensors/dtype.ts";
import type { NamedTensors, Tensor } from "../../../../src/protocol/tensors/tensor.ts";

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });

export const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...dtypes), shapes)
  .chain(([dtype, shape]) => anyData(dtype, shape).map((data) => ({ dtype, shape, data })));

function anyData(dtype: DType, shape: readonly number[]): fc.Arbitrary<Uint8Array> {
  const length = shape.reduce((product, size) => product * size, 1) * byteWidthOf(dtype);
  return fc.uint8Array({ minLength: length, maxLength: length, max: dtype === "bool" ? 1 : 255 });
}

const anyName = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string({ unit: "grapheme", maxLength: 4 }),
  fc.constant("__proto__"),
);

export const anyTensors: fc.Arbitrary<NamedTensors> = fc
  .array(fc.tuple(anyName, anyTensor), { maxLength: 5 })
  .map((entries) => new Map(entries));

/** Comparable with toEqual: same bytes, whatever buffer they lie in. */
export function plain(tensors: NamedTensors) {
  return [...tensors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { dtype, shape, data }]) => ({ name, dtype, shape: [...shape], data: [...data] }));
}
