import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf, numberAt, tensorFrom, viewElements } from "../../../../src/protocol/tensors/elements.ts";
import { float16ToNumber, numberToFloat16 } from "../../../../src/protocol/tensors/float16.ts";
import { createTensor } from "../../../../src/protocol/tensors/tensor.ts";

describe("viewing elements", () => {
  it("shares the bytes where they are aligned", () => {
    const data = new Uint8Array(16).subarray(8);
    expect(viewElements({ dtype: "float64", shape: [1], data }).buffer).toBe(data.buffer);
  });

  it("reads the same values from bytes that are not aligned", () => {
    const bytes = new Uint8Array(9);
    bytes.set(bytesOf(Float64Array.of(1.25)), 1);
    expect([...viewElements({ dtype: "float64", shape: [1], data: bytes.subarray(1) })]).toEqual([1.25]);
  });

  it("sees half precision as numbers and 64-bit integers as bigints", () => {
    const half = tensorFrom("float16", [1], [-0.5]);
    const long = tensorFrom("uint64", [1], [2n ** 64n - 1n]);
    expect(numberAt("float16", viewElements(half), 0)).toBe(-0.5);
    expect(numberAt("uint64", viewElements(long), 0)).toBe(2n ** 64n - 1n);
  });
});

describe("creating a tensor", () => {
  it("refuses bytes that are not its shape's", () => {
    expect(() => createTensor("int32", [2], new Uint8Array(7))).toThrow(/7 bytes; int32 of shape \[2\] needs 8/);
  });
});

describe("half precision", () => {
  it.each([
    { bits: 0x0000, value: 0 },
    { bits: 0x8000, value: -0 },
    { bits: 0x0001, value: 2 ** -24 },
    { bits: 0x03ff, value: 1023 * 2 ** -24 },
    { bits: 0x0400, value: 2 ** -14 },
    { bits: 0x3c00, value: 1 },
    { bits: 0x7bff, value: 65504 },
    { bits: 0xfbff, value: -65504 },
    { bits: 0x7c00, value: Infinity },
    { bits: 0x7e00, value: Number.NaN },
  ])("$value is $bits", ({ bits, value }) => {
    expect(float16ToNumber(bits)).toBe(value);
    expect(numberToFloat16(value)).toBe(bits);
  });

  it("comes back from a number with the same bits, for all 65536 of them but NaNs", () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 65536; bits++) {
      const value = float16ToNumber(bits);
      if (!Number.isNaN(value) && numberToFloat16(value) !== bits) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  it("rounds to the nearest, and ties to the even neighbour", () => {
    fc.assert(
      fc.property(fc.nat({ max: 0x7bfe }), fc.double({ min: 0, max: 1, noNaN: true }), (bits, share) => {
        const [low, high] = [float16ToNumber(bits), float16ToNumber(bits + 1)];
        const value = low + (high - low) * share;
        const middle = low + (high - low) / 2;
        const want = value === middle ? bits + (bits % 2) : value < middle ? bits : bits + 1;
        expect(numberToFloat16(value)).toBe(want);
      }),
    );
  });

  it.each([
    { value: 65519.99, want: 0x7bff },
    { value: 65520, want: 0x7c00 },
    { value: 2 ** -25, want: 0 },
    { value: 2 ** -25 * 1.0001, want: 1 },
  ])("$value rounds to $want at the ends of its range", ({ value, want }) => {
    expect(numberToFloat16(value)).toBe(want);
  });
});
