import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tensorFrom } from "../../../../src/protocol/tensors/elements.ts";
import { tensorFromJson, tensorsFromJson, tensorsToJson } from "../../../../src/protocol/tensors/json.ts";
import { anyTensors, plain } from "./arbitrary-tensors.ts";

const base64 = (bytes: number[]) => Buffer.from(bytes).toString("base64");

describe("tensors as JSON", () => {
  it("come back with the same bits after being JSON text", () => {
    fc.assert(
      fc.property(anyTensors, (tensors) => {
        expect(plain(tensorsFromJson(JSON.parse(JSON.stringify(tensorsToJson(tensors)))))).toEqual(plain(tensors));
      }),
    );
  });

  it.each([
    { value: "few numbers", tensor: tensorFrom("float32", [2], [0.5, -3]), want: [0.5, -3] },
    { value: "small 64-bit integers", tensor: tensorFrom("int64", [1], [-7n]), want: [-7] },
    { value: "bools", tensor: tensorFrom("bool", [2], [1, 0]), want: [1, 0] },
    { value: "a scalar", tensor: tensorFrom("uint8", [], [9]), want: [9] },
    { value: "nothing", tensor: tensorFrom("uint8", [0], []), want: [] },
    { value: "half precision", tensor: tensorFrom("float16", [1], [1.5]), want: [1.5] },
    {
      value: "integers beyond 2^53",
      tensor: tensorFrom("uint64", [1], [2n ** 63n]),
      want: base64([0, 0, 0, 0, 0, 0, 0, 128]),
    },
    { value: "a NaN", tensor: tensorFrom("float32", [1], [Number.NaN]), want: base64([0, 0, 192, 127]) },
    { value: "an infinity", tensor: tensorFrom("float32", [1], [Infinity]), want: base64([0, 0, 128, 127]) },
    { value: "minus zero", tensor: tensorFrom("float32", [1], [-0]), want: base64([0, 0, 0, 128]) },
    { value: "many numbers", tensor: tensorFrom("uint8", [65], Array(65).fill(0)), want: base64(Array(65).fill(0)) },
  ])("write $value as $want", ({ tensor, want }) => {
    expect(tensorsToJson(new Map([["x", tensor]])).x?.data).toEqual(want);
  });

  it.each([
    { what: "a list instead of an object", json: [], want: /a list; expected an object/ },
    { what: "nothing", json: null, want: /null; expected an object/ },
    { what: "a tensor that is a number", json: { x: 3 }, want: /"x" is 3; expected/ },
    { what: "no dtype", json: { x: { shape: [], data: [1] } }, want: /dtype undefined; expected one of bool/ },
    { what: "an unknown dtype", json: { x: { dtype: "float8", shape: [], data: [1] } }, want: /dtype "float8"/ },
    { what: "no shape", json: { x: { dtype: "int8", data: [1] } }, want: /shape a undefined/ },
    {
      what: "a shape with words",
      json: { x: { dtype: "int8", shape: ["2"], data: [1, 2] } },
      want: /list of whole numbers/,
    },
    { what: "a fractional axis", json: { x: { dtype: "int8", shape: [1.5], data: [1] } }, want: /axis of size 1.5/ },
    {
      what: "an axis of 2^63",
      json: { x: { dtype: "int8", shape: [2 ** 63], data: [1] } },
      want: /axis of size 9223372036854776000/,
    },
    { what: "no data", json: { x: { dtype: "int8", shape: [] } }, want: /data that is a undefined/ },
    {
      what: "too few values",
      json: { x: { dtype: "int8", shape: [2], data: [1] } },
      want: /1 values; shape \[2\] needs 2/,
    },
    {
      what: "too many values",
      json: { x: { dtype: "int8", shape: [], data: [1, 2] } },
      want: /2 values; shape \[\] needs 1/,
    },
    {
      what: "a null among numbers",
      json: { x: { dtype: "int8", shape: [2], data: [1, null] } },
      want: /element 1 is null; expected a finite number/,
    },
    {
      what: "an infinite number",
      json: { x: { dtype: "float32", shape: [1], data: [Infinity] } },
      want: /element 0 is Infinity/,
    },
    {
      what: "a value that does not fit",
      json: { x: { dtype: "uint8", shape: [1], data: [256] } },
      want: /256; it does not fit uint8/,
    },
    {
      what: "a negative unsigned value",
      json: { x: { dtype: "uint64", shape: [1], data: [-1] } },
      want: /-1; it does not fit uint64/,
    },
    {
      what: "a fraction as an integer",
      json: { x: { dtype: "int64", shape: [1], data: [1.5] } },
      want: /1.5; it does not fit int64/,
    },
    { what: "a bool of two", json: { x: { dtype: "bool", shape: [1], data: [2] } }, want: /2; it does not fit bool/ },
    {
      what: "an integer that JSON has rounded",
      json: { x: { dtype: "int64", shape: [1], data: [2 ** 53] } },
      want: /does not fit int64/,
    },
    {
      what: "base64 of the wrong length",
      json: { x: { dtype: "float32", shape: [1], data: "AAAA" } },
      want: /4 characters of base64; 4 bytes need 8/,
    },
    {
      what: "base64 with other characters",
      json: { x: { dtype: "uint8", shape: [3], data: "AA*A" } },
      want: /not padded standard base64/,
    },
    {
      what: "base64 in its URL alphabet",
      json: { x: { dtype: "uint8", shape: [3], data: "__-_" } },
      want: /not padded standard base64/,
    },
    {
      what: "base64 with stray bits",
      json: { x: { dtype: "uint8", shape: [1], data: "AB==" } },
      want: /not padded standard base64/,
    },
  ])("are refused with $what", ({ json, want }) => {
    expect(() => tensorsFromJson(json)).toThrow(want);
  });

  it("do not allocate what a shape promises before they have seen the data", () => {
    const json = { dtype: "float64", shape: [2 ** 39], data: "AAAA" };
    expect(() => tensorFromJson(json)).toThrow(/4 characters of base64/);
  });
});
