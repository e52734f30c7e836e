import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteWidthOf } from "../../../../src/protocol/tensors/dtype.ts";
import { tensorFrom } from "../../../../src/protocol/tensors/elements.ts";
import { readSafetensors, writeSafetensors } from "../../../../src/protocol/tensors/safetensors.ts";
import { anyTensors, plain } from "./arbitrary-tensors.ts";

function fileOf(header: string, data: Uint8Array | number[] = [], length = Buffer.byteLength(header)): Uint8Array {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(length));
  return new Uint8Array(Buffer.concat([prefix, Buffer.from(header), Buffer.from(data)]));
}

describe("safetensors", () => {
  it("reads back what it writes", () => {
    fc.assert(
      fc.property(anyTensors, (tensors) => {
        expect(plain(readSafetensors(writeSafetensors(tensors)))).toEqual(plain(tensors));
      }),
    );
  });

  it("aligns every tensor to its element's width, so that it can be viewed in place", () => {
    fc.assert(
      fc.property(anyTensors, (tensors) => {
        for (const { dtype, data } of readSafetensors(writeSafetensors(tensors)).values()) {
          expect(data.byteOffset % byteWidthOf(dtype)).toBe(0);
        }
      }),
    );
  });

  it("views the file's bytes instead of copying them", () => {
    const file = writeSafetensors(new Map([["x", tensorFrom("uint8", [3], [1, 2, 3])]]));
    expect(readSafetensors(file).get("x")?.data.buffer).toBe(file.buffer);
  });

  it("reads a file as the reference implementation writes it, with metadata", () => {
    const header = '{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}';
    const tensor = readSafetensors(fileOf(header, new Uint8Array(new Float32Array([1.5, -2]).buffer))).get("w");
    expect(tensor).toMatchObject({ dtype: "float32", shape: [1, 2] });
    expect([...tensor!.data]).toEqual([0, 0, 192, 63, 0, 0, 0, 192]);
  });

  const u8 = (offsets: string, shape = "[2]") => `{"dtype":"U8","shape":${shape},"data_offsets":${offsets}}`;

  it.each([
    { what: "a file too short for its length field", file: new Uint8Array(7), want: /7 bytes long/ },
    { what: "a header longer than the file", file: fileOf("{}", [], 3), want: /header of 3 bytes; at most 2/ },
    { what: "a header length of 2^64 - 1", file: new Uint8Array(64).fill(255), want: /header of 18446744073709551615/ },
    { what: "a header length of 2^63", file: fileOf("{}", [], 2 ** 63), want: /header of 9223372036854775808/ },
    { what: "an empty header", file: fileOf(""), want: /does not begin with "\{"/ },
    { what: "a header with a byte order mark", file: fileOf("\ufeff{}"), want: /does not begin with "\{"/ },
    { what: "a header that is a list", file: fileOf("[]"), want: /does not begin with "\{"/ },
    { what: "a header that is not JSON", file: fileOf("{,}"), want: /not UTF-8 JSON/ },
    {
      what: "a header that is not UTF-8",
      file: Uint8Array.from([3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d]),
      want: /not UTF-8 JSON/,
    },
    { what: "a tensor that is no object", file: fileOf('{"a":1}'), want: /not an object/ },
    { what: "a name twice", file: fileOf(`{"a":${u8("[0,2]")},"a":${u8("[0,2]")}}`, [1, 2]), want: /"a" twice/ },
    {
      what: "a name twice by an escape",
      file: fileOf(`{"a":${u8("[0,2]")},"\\u0061":${u8("[0,2]")}}`, [1, 2]),
      want: /"a" twice/,
    },
    {
      what: "a field twice",
      file: fileOf(`{"a":{"dtype":"I8",${u8("[0,2]").slice(1)}}`, [1, 2]),
      want: /"dtype" twice/,
    },
    {
      what: "an unknown dtype",
      file: fileOf(`{"a":${u8("[0,2]").replace("U8", "F8_E4M3")}}`, [1, 2]),
      want: /dtype "F8_E4M3"/,
    },
    {
      what: "a dtype that is an object's own word",
      file: fileOf(`{"a":${u8("[0,2]").replace("U8", "constructor")}}`, [1, 2]),
      want: /dtype/,
    },
    { what: "offsets beyond the data", file: fileOf(`{"a":${u8("[0,3]", "[3]")}}`, [1, 2]), want: /\[0, 3\] of 2/ },
    { what: "offsets in the wrong order", file: fileOf(`{"a":${u8("[2,0]")}}`, [1, 2]), want: /\[2, 0\] of 2/ },
    { what: "a negative offset", file: fileOf(`{"a":${u8("[-1,1]")}}`, [1, 2]), want: /\[-1, 1\] of 2/ },
    {
      what: "an offset of 2^63",
      file: fileOf(`{"a":${u8("[0,9223372036854775808]")}}`, [1, 2]),
      want: /no two data_offsets/,
    },
    { what: "a fractional offset", file: fileOf(`{"a":${u8("[0,1.5]")}}`, [1, 2]), want: /no two data_offsets/ },
    { what: "three offsets", file: fileOf(`{"a":${u8("[0,1,2]")}}`, [1, 2]), want: /no two data_offsets/ },
    { what: "no offsets", file: fileOf('{"a":{"dtype":"U8","shape":[2]}}', [1, 2]), want: /no two data_offsets/ },
    {
      what: "overlapping tensors",
      file: fileOf(`{"a":${u8("[0,2]")},"b":${u8("[1,3]")}}`, [1, 2, 3]),
      want: /begin at 1; expected 2/,
    },
    {
      what: "a hole between tensors",
      file: fileOf(`{"a":${u8("[0,2]")},"b":${u8("[3,5]")}}`, [1, 2, 3, 4, 5]),
      want: /begin at 3; expected 2/,
    },
    {
      what: "data that no tensor owns",
      file: fileOf(`{"a":${u8("[0,2]")}}`, [1, 2, 3]),
      want: /1 bytes after its last/,
    },
    {
      what: "a shape that does not fit its data",
      file: fileOf(`{"a":${u8("[0,2]", "[3]")}}`, [1, 2]),
      want: /needs 3/,
    },
    {
      what: "a shape of 2^63",
      file: fileOf(`{"a":${u8("[0,2]", "[9223372036854775808]")}}`, [1, 2]),
      want: /not a list of whole numbers/,
    },
    {
      what: "a shape whose product overflows",
      file: fileOf(`{"a":${u8("[0,2]", "[4294967296,4294967296,4294967296]")}}`, [1, 2]),
      want: /over 1099511627776/,
    },
    {
      what: "an overflow hidden behind a zero",
      file: fileOf(`{"a":${u8("[0,2]", "[9007199254740991,9007199254740991,0]")}}`, [1, 2]),
      want: /needs 0/,
    },
    { what: "a negative axis", file: fileOf(`{"a":${u8("[0,2]", "[-2]")}}`, [1, 2]), want: /axis of size -2/ },
    {
      what: "too many axes",
      file: fileOf(`{"a":${u8("[0,1]", JSON.stringify(Array(17).fill(1)))}}`, [1]),
      want: /17 axes/,
    },
    {
      what: "a bool that is neither",
      file: fileOf(`{"a":${u8("[0,2]").replace("U8", "BOOL")}}`, [1, 2]),
      want: /element 1 is byte 2/,
    },
    {
      what: "half a surrogate as a name",
      file: fileOf(`{"\\ud800":${u8("[0,2]")}}`, [1, 2]),
      want: /not Unicode text/,
    },
  ])("refuses $what", ({ file, want }) => {
    expect(() => readSafetensors(file)).toThrow(want);
  });

  it("takes a name that objects treat as special for a name", () => {
    const file = fileOf(`{"__proto__":${u8("[0,2]")}}`, [1, 2]);
    expect([...readSafetensors(file).keys()]).toEqual(["__proto__"]);
  });

  it("refuses more tensors than a task may have", () => {
    const entries = Array.from({ length: 4097 }, (_, i) => `"t${i}":${u8("[0,0]", "[0]")}`);
    expect(() => readSafetensors(fileOf(`{${entries}}`))).toThrow(/4097 tensors/);
  });

  it("reads a header of a megabyte that is one long name without failing in another way", () => {
    const file = fileOf(`{"${"n".repeat(1_000_000)}":${u8("[0,2]")}}`, [1, 2]);
    expect(() => readSafetensors(file)).toThrow(/1000000 characters/);
  });

  it("reads or refuses a file with any one byte changed, and never fails in another way", () => {
    const good = writeSafetensors(
      new Map([
        ["a", tensorFrom("float32", [2], [1, 2])],
        ["b", tensorFrom("bool", [1], [1])],
      ]),
    );
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), (place, value) => {
        const bytes = good.slice();
        bytes[place] = value;
        try {
          readSafetensors(bytes);
        } catch (error) {
          expect(error).toHaveProperty("name", "InferiumError");
        }
      }),
      { numRuns: 1000 },
    );
  });
});
