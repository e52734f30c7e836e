import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCanonical, digestTensors, encodeCanonical } from "../../../../src/protocol/tensors/canonical.ts";
import { tensorFrom } from "../../../../src/protocol/tensors/elements.ts";
import { normaliseNans } from "../../../../src/protocol/tensors/nan.ts";
import type { NamedTensors } from "../../../../src/protocol/tensors/tensor.ts";
import { anyTensors, plain } from "./arbitrary-tensors.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const normalised = (tensors: NamedTensors): NamedTensors =>
  new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, data: normaliseNans(tensor) }]));

describe("the canonical encoding", () => {
  it("is these bytes for one known tensor, so that no later change can move the digests of the past", () => {
    const tensors = new Map([["a", tensorFrom("int16", [2], [1, -2])]]);
    const u64 = (n: number) => n.toString(16).padStart(2, "0").padEnd(16, "0");
    const magic = hex(new TextEncoder().encode("inferium/tensors/v1"));
    const want = `${magic}${u64(1)}${u64(1)}61${u64(5)}696e743136${u64(1)}${u64(2)}${u64(4)}0100feff`;
    expect(hex(encodeCanonical(tensors))).toBe(want);
    expect(digestTensors(tensors)).toBe("sha256:70b8238ddd8b3b1043e6ef9c5b2c1349e26e91a3292b0a290f12c8b81909820b");
  });

  it("decodes to the tensors that it encodes, with their NaNs normalised", () => {
    fc.assert(
      fc.property(anyTensors, (tensors) => {
        expect(plain(decodeCanonical(encodeCanonical(tensors)))).toEqual(plain(normalised(tensors)));
      }),
    );
  });

  it("does not depend on the order in which tensors were put in", () => {
    fc.assert(
      fc.property(anyTensors, (tensors) => {
        expect(digestTensors(new Map([...tensors].reverse()))).toBe(digestTensors(tensors));
      }),
    );
  });

  it("does not depend on what was encoded before, of the same form or another", () => {
    const unrelated = new Map([["?", tensorFrom("uint8", [1], [9])]]);
    const tensorsOfOneForm = anyTensors.chain((tensors) =>
      fc
        .tuple(fc.constant(tensors), fc.infiniteStream(fc.nat(1)))
        .map(([form, bits]): NamedTensors[] => [
          form,
          new Map(
            [...form].map(([name, tensor]) => [
              name,
              { ...tensor, data: tensor.data.map((byte) => byte ^ bits.next().value) },
            ]),
          ),
        ]),
    );
    fc.assert(
      fc.property(tensorsOfOneForm, anyTensors, ([first, second], other) => {
        const alone = [second, other].map((tensors) => {
          encodeCanonical(unrelated);
          return hex(encodeCanonical(tensors ?? unrelated));
        });
        encodeCanonical(first ?? unrelated);
        expect([second, other].map((tensors) => hex(encodeCanonical(tensors ?? unrelated)))).toEqual(alone);
      }),
    );
  });

  it("does not depend on what was encoded before where only the dtype differs, or where that was refused", () => {
    const of = (dtype: "uint8" | "int8") => new Map([["a", { dtype, shape: [2], data: Uint8Array.of(1, 2) }]]);
    const refused = new Map([...of("int8"), ["\ud800", tensorFrom("uint8", [1], [9])] as const]);
    const first = hex(encodeCanonical(of("uint8")));
    expect(hex(encodeCanonical(of("int8")))).not.toBe(first);
    expect(hex(encodeCanonical(of("uint8")))).toBe(first);
    expect(() => encodeCanonical(refused)).toThrow(/is not Unicode/);
    expect(hex(encodeCanonical(of("uint8")))).toBe(first);
  });

  it("gives another digest when any one bit of an integer tensor flips", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 64 }), fc.nat(), (data, place) => {
        const bit = place % (data.length * 8);
        const flipped = data.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        const of = (bytes: Uint8Array) =>
          digestTensors(new Map([["x", { dtype: "uint8" as const, shape: [bytes.length], data: bytes }]]));
        expect(of(flipped)).not.toBe(of(data));
      }),
    );
  });

  it("differs where only the name, the dtype, the shape or the split into tensors differs", () => {
    const data = new Uint8Array(4);
    const variants: NamedTensors[] = [
      new Map([["ab", { dtype: "uint8", shape: [4], data }]]),
      new Map([["a", { dtype: "uint8", shape: [4], data }]]),
      new Map([["ab", { dtype: "int8", shape: [4], data }]]),
      new Map([["ab", { dtype: "int32", shape: [1], data }]]),
      new Map([["ab", { dtype: "int32", shape: [], data }]]),
      new Map([["ab", { dtype: "uint8", shape: [2, 2], data }]]),
      new Map([
        ["a", { dtype: "uint8", shape: [2], data: data.subarray(2) }],
        ["b", { dtype: "uint8", shape: [2], data: data.subarray(2) }],
      ]),
      new Map(),
    ];
    expect(new Set(variants.map(digestTensors)).size).toBe(variants.length);
  });

  it("orders names by their UTF-8 bytes, also where UTF-16 orders them otherwise", () => {
    const tensor = tensorFrom("uint8", [], [7]);
    const encoded = Buffer.from(
      encodeCanonical(
        new Map([
          ["\u{10000}", tensor],
          ["\uffff", tensor],
        ]),
      ),
    );
    expect(encoded.indexOf("\uffff")).toBeGreaterThan(0);
    expect(encoded.indexOf("\uffff")).toBeLessThan(encoded.indexOf("\u{10000}"));
  });

  it("writes tensors larger than its scratch memory the same way", () => {
    const data = new Uint8Array(300_000).map((_, i) => i);
    const tensors: NamedTensors = new Map([["big", { dtype: "uint8", shape: [data.length], data }]]);
    expect(plain(decodeCanonical(encodeCanonical(tensors)))[0]?.data).toEqual([...data]);
  });

  it("writes sizes over 32 bits whole", () => {
    const tensors: NamedTensors = new Map([["x", { dtype: "uint8", shape: [2 ** 33 + 5, 0], data: new Uint8Array() }]]);
    expect(decodeCanonical(encodeCanonical(tensors)).get("x")?.shape).toEqual([2 ** 33 + 5, 0]);
  });

  it("refuses a name that has no UTF-8", () => {
    expect(() => encodeCanonical(new Map([["\ud800", tensorFrom("uint8", [], [1])]]))).toThrow(/not Unicode text/);
  });

  it.each([
    { value: "any NaN", dtype: "float32", bits: [0x01, 0x00, 0xc0, 0xff], want: "0000c07f" },
    { value: "a signalling NaN", dtype: "float32", bits: [0x01, 0x00, 0x80, 0x7f], want: "0000c07f" },
    { value: "a double NaN", dtype: "float64", bits: [1, 2, 3, 4, 5, 6, 0xf8, 0xff], want: "000000000000f87f" },
    { value: "a half NaN", dtype: "float16", bits: [0x01, 0xfc], want: "007e" },
    { value: "infinity", dtype: "float32", bits: [0, 0, 0x80, 0x7f], want: "0000807f" },
    { value: "half infinity", dtype: "float16", bits: [0, 0x7c], want: "007c" },
    { value: "minus zero", dtype: "float32", bits: [0, 0, 0, 0x80], want: "00000080" },
    { value: "a subnormal", dtype: "float32", bits: [1, 0, 0, 0], want: "01000000" },
    { value: "an integer that would be a NaN", dtype: "int32", bits: [1, 0, 0xc0, 0xff], want: "0100c0ff" },
  ] as const)("writes $value as $want", ({ dtype, bits, want }) => {
    const encoded = encodeCanonical(new Map([["x", { dtype, shape: [1], data: Uint8Array.from(bits) }]]));
    expect(hex(encoded).endsWith(want)).toBe(true);
  });

  it("leaves the tensor that held a NaN as it was", () => {
    const data = Uint8Array.of(1, 0, 0xc0, 0xff);
    encodeCanonical(new Map([["x", { dtype: "float32", shape: [1], data }]]));
    expect([...data]).toEqual([1, 0, 0xc0, 0xff]);
  });
});

describe("decoding refuses", () => {
  const good = encodeCanonical(
    new Map([
      ["a", tensorFrom("uint8", [2], [1, 2])],
      ["b", tensorFrom("float32", [1], [1])],
    ]),
  );
  const edit = (change: (bytes: Uint8Array, view: DataView) => void) => {
    const bytes = good.slice();
    change(bytes, new DataView(bytes.buffer));
    return bytes;
  };
  const first = 19 + 8;

  it.each([
    { what: "another magic", bytes: edit((b) => b.set([0])), want: /does not begin/ },
    { what: "an end before the end", bytes: good.subarray(0, good.length - 1), want: /cut off/ },
    { what: "nothing at all", bytes: new Uint8Array(), want: /cut off/ },
    { what: "bytes after the end", bytes: Uint8Array.from([...good, 0]), want: /1 bytes after/ },
    {
      what: "more tensors than allowed",
      bytes: edit((_, v) => v.setBigUint64(19, 2n ** 63n, true)),
      want: /number of tensors/,
    },
    { what: "an endless name", bytes: edit((_, v) => v.setBigUint64(first, 2n ** 64n - 1n, true)), want: /name of/ },
    { what: "names out of order", bytes: edit((b) => b.set([0x63], first + 8)), want: /out of order/ },
    { what: "one name twice", bytes: edit((b) => b.set([0x62], first + 8)), want: /twice/ },
    { what: "a name that is not UTF-8", bytes: edit((b) => b.set([0xff], first + 8)), want: /not UTF-8/ },
    { what: "an unknown dtype", bytes: edit((b) => b.set([0x76], first + 17)), want: /dtype "vint8"/ },
    {
      what: "a shape that does not fit its data",
      bytes: edit((_, v) => v.setBigUint64(first + 30, 3n, true)),
      want: /needs 3/,
    },
    {
      what: "a NaN that is not normalised",
      bytes: edit((b) => b.set([1, 0, 0xc0, 0xff], b.length - 4)),
      want: /unnormalised/,
    },
  ])("$what", ({ bytes, want }) => {
    expect(() => decodeCanonical(bytes)).toThrow(want);
  });

  it("or decodes any bytes, and never fails in another way", () => {
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), (place, value) => {
        const bytes = edit((b) => b.set([value], place));
        try {
          expect(hex(encodeCanonical(decodeCanonical(bytes)))).toBe(hex(bytes));
        } catch (error) {
          expect(error).toHaveProperty("name", "InferiumError");
        }
      }),
    );
  });
});
