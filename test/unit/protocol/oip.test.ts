import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  buildInferRequest,
  buildInferResponse,
  parseInferRequest,
  parseInferResponse,
} from "../../../src/protocol/oip/infer.ts";
import { byteWidthOf, type DType, dtypes, isFloat } from "../../../src/protocol/tensors/dtype.ts";
import { tensorFrom, viewElements } from "../../../src/protocol/tensors/elements.ts";
import { createTensor, type NamedTensors } from "../../../src/protocol/tensors/tensor.ts";

const parse = (value: unknown, length?: string) => parseInferRequest(Buffer.from(JSON.stringify(value)), length);
const input = (fields: object) => ({ inputs: [{ name: "x", shape: [2], datatype: "INT32", data: [1, 2], ...fields }] });
const lengthOf = (headerLength: number | undefined) => (headerLength === undefined ? undefined : String(headerLength));

/** The request and the answer of the protocol's own document, with the lengths right. */
describe("the binary tensor data extension", () => {
  const header = JSON.stringify({
    model_name: "mymodel",
    inputs: [
      { name: "input0", shape: [2, 2], datatype: "UINT32", parameters: { binary_data_size: 16 } },
      { name: "input1", shape: [3], datatype: "BOOL", parameters: { binary_data_size: 3 } },
    ],
    outputs: [{ name: "output0", parameters: { binary_data: true } }],
  });
  const data = Buffer.from([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 1]);

  it("reads tensors after the JSON, in its order", () => {
    const request = parseInferRequest(Buffer.concat([Buffer.from(header), data]), String(header.length));
    expect(request.inputs.get("input0")).toMatchObject({ dtype: "uint32", shape: [2, 2] });
    expect([...request.inputs.get("input0")!.data]).toEqual([...data.subarray(0, 16)]);
    expect([...request.inputs.get("input1")!.data]).toEqual([1, 0, 1]);
    expect(request.outputs).toEqual([{ name: "output0", binary: true }]);
  });

  it("writes outputs in the form that was asked for, each", () => {
    const request = parse({
      id: "42",
      inputs: [],
      parameters: { binary_data_output: true },
      outputs: [{ name: "b" }, { name: "a", parameters: { binary_data: false } }],
    });
    const outputs = new Map([
      ["a", tensorFrom("float32", [2], [0.5, 1.5])],
      ["b", tensorFrom("uint8", [3], [7, 8, 9])],
    ]);
    const { body, headerLength } = buildInferResponse(request, { modelName: "m", modelVersion: "1", outputs });
    expect(JSON.parse(body.toString("utf8", 0, headerLength))).toEqual({
      id: "42",
      model_name: "m",
      model_version: "1",
      outputs: [
        { name: "b", datatype: "UINT8", shape: [3], parameters: { binary_data_size: 3 } },
        { name: "a", datatype: "FP32", shape: [2], data: [0.5, 1.5] },
      ],
    });
    expect([...body.subarray(headerLength)]).toEqual([7, 8, 9]);
  });

  it.each<[string, Buffer, string, string]>([
    ["less data than it says", data.subarray(1), String(header.length), "3 binary bytes; 2 are left"],
    ["more data than it says", Buffer.concat([data, data]), String(header.length), "19 bytes follow the last"],
    ["a length beyond the body", data, "9999", "expected the length of the JSON part"],
    ["a length that is no number", data, "x", "expected the length of the JSON part"],
    ["no JSON at all", data, "0", "expected the length of the JSON part"],
  ])("refuses a body with %s", (_, tail, length, message) => {
    expect(() => parseInferRequest(Buffer.concat([Buffer.from(header), tail]), length)).toThrow(message);
  });
});

it("binary tensors at odd places of a Buffer can be computed with", () => {
  for (const id of ["", "1", "12", "123"]) {
    const header = JSON.stringify({
      id,
      inputs: [{ name: "x", shape: [2], datatype: "INT64", parameters: { binary_data_size: 16 } }],
    });
    const data = Buffer.from(BigInt64Array.of(-5n, 7n).buffer);
    const { inputs } = parseInferRequest(Buffer.concat([Buffer.from(header), data]), String(header.length));
    expect([...viewElements(inputs.get("x")!)]).toEqual([-5n, 7n]);
  }
});

describe("tensors in JSON", () => {
  it("may be flat or nested", () => {
    const flat = parse(input({ shape: [2, 2], data: [1, 2, 3, 4] }));
    const nested = parse(
      input({
        shape: [2, 2],
        data: [
          [1, 2],
          [3, 4],
        ],
      }),
    );
    expect(nested.inputs).toEqual(flat.inputs);
  });

  it.each<[string, object, string]>([
    ["is no object", [], "not a JSON object"],
    ["has no inputs", {}, '"inputs" is missing'],
    ["has an input without a name", { inputs: [{}] }, 'no object with a "name"'],
    ["has an input twice", { inputs: [input({}).inputs[0], input({}).inputs[0]] }, "is there twice"],
    ["has no shape", input({ shape: undefined }), 'has no "shape"'],
    ["has too few values", input({ data: [1] }), "has 1 values; shape [2] needs 2"],
    ["has a negative axis", input({ shape: [-1] }), "an axis of size -1"],
    ["has a huge axis", input({ shape: [2 ** 45] }), "elements"],
    ["has a type that is none", input({ datatype: "int32" }), 'has datatype "int32"; supported are BOOL'],
    ["has strings", input({ datatype: "BYTES", data: ["a", "b"] }), 'has datatype "BYTES"; supported are'],
    ["has a value that does not fit", input({ datatype: "INT8", data: [1, 128] }), "element 1 is 128"],
    ["has half an integer", input({ data: [1, 1.5] }), "element 1 is 1.5"],
    ["has an integer that JSON changes", input({ datatype: "INT64", data: [1, 2 ** 53] }), "send it as binary data"],
    ["has a negative unsigned", input({ datatype: "UINT64", data: [1, -1] }), "does not fit uint64"],
    ["has null", input({ data: [1, null] }), "element 1 is null"],
    ["mixes lists and values", input({ data: [[1], 2] }), "mixes values and lists"],
    ["has lists that are too long", input({ data: [[1, 2], [3]] }), "more than the 2 values"],
    ["has both forms of data", input({ parameters: { binary_data_size: 8 } }), 'both "data" and'],
    ["asks for shared memory", input({ parameters: { shared_memory_region: "r" } }), "not supported"],
    ["asks for classes", { inputs: [], outputs: [{ name: "y", parameters: { classification: 3 } }] }, "not supported"],
    ["has an id that is no text", { id: 1, inputs: [] }, '"id" is no string'],
  ])("a request that %s is refused", (_, body, message) => {
    expect(() => parse(body)).toThrow(message);
  });

  it("keep the sign of a zero, which the digest of a receipt knows", () => {
    const { body } = buildInferRequest(new Map([["x", tensorFrom("float32", [2], [-0, 0])]]), false);
    expect(body.toString()).toContain('"data":[-0,0]');
    expect([...parseInferRequest(body, undefined).inputs.get("x")!.data]).toEqual([0, 0, 0, 0x80, 0, 0, 0, 0]);
  });

  it("that JSON cannot hold are refused with what to do", () => {
    const outputs = new Map([["y", tensorFrom("float32", [1], [Number.NaN])]]);
    const request = parse({ inputs: [] });
    expect(() => buildInferResponse(request, { modelName: "m", modelVersion: undefined, outputs })).toThrow(
      "binary_data",
    );
    const missing = parse({ inputs: [], outputs: [{ name: "z" }] });
    expect(() => buildInferResponse(missing, { modelName: "m", modelVersion: undefined, outputs })).toThrow(
      'no tensor "z"',
    );
  });
});

/** Any bytes; floats without what JSON cannot say. */
const aTensor = (json: boolean) =>
  fc.constantFrom(...dtypes).chain((dtype) =>
    fc.array(fc.nat({ max: 3 }), { maxLength: 3 }).chain((shape) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const bytes = fc.uint8Array({ minLength: count * byteWidthOf(dtype), maxLength: count * byteWidthOf(dtype) });
      return bytes.map((data) => createTensor(dtype, shape, restrict(dtype, data, json)));
    }),
  );

function restrict(dtype: DType, data: Uint8Array, json: boolean): Uint8Array {
  if (dtype === "bool") return data.map((byte) => byte & 1);
  const width = byteWidthOf(dtype);
  if (!json || (!isFloat(dtype) && width < 8)) return data;
  // The top of each element: no sign and a small exponent, or an integer within 2^53.
  return data.map((byte, i) => (i % width < width - 2 ? byte : isFloat(dtype) ? byte & 0x07 : 0));
}

const tensors = (json: boolean) =>
  fc
    .array(fc.tuple(fc.string({ minLength: 1, unit: "binary" }), aTensor(json)), { maxLength: 4 })
    .map((all) => new Map(all));

const plain = (all: NamedTensors) => [...all].map(([name, { dtype, shape, data }]) => [name, dtype, shape, [...data]]);

describe.each([
  ["binary", true],
  ["JSON", false],
] as const)("%s tensors", (_, binary) => {
  const arbitrary = tensors(!binary);

  it("of a request and of an answer read back as they were written", () => {
    fc.assert(
      fc.property(arbitrary, (all: NamedTensors) => {
        const written = buildInferRequest(all, binary);
        const request = parseInferRequest(written.body, lengthOf(written.headerLength));
        expect(plain(request.inputs)).toEqual(plain(all));
        const answer = buildInferResponse(request, { modelName: "m", modelVersion: undefined, outputs: all });
        expect(plain(parseInferResponse(answer.body, lengthOf(answer.headerLength)))).toEqual(plain(all));
      }),
      { numRuns: 60 },
    );
  });
});
