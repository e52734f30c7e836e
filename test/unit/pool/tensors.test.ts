import { describe, expect, test } from "vitest";
import { toExecutionRequest } from "../../../src/pool/execution-request.ts";
import { readInline, writeInline } from "../../../src/pool/inline-tensors.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { tensorFrom } from "../../../src/protocol/tensors/elements.ts";

const model = { uri: "file:///m", digest: `sha256:${"a".repeat(64)}` };

describe("outputs in a receipt", () => {
  test("read back to the digest that was signed, as numbers and as base64", () => {
    const many = Array.from({ length: 300 }, (_, i) => i / 3);
    const tensors = new Map([
      ["few", tensorFrom("int32", [2], [1, -2])],
      ["many", tensorFrom("float32", [300], many)],
      ["odd", tensorFrom("float32", [3], [Number.NaN, Number.POSITIVE_INFINITY, -0])],
    ]);
    const inline = writeInline(tensors);
    expect(inline.few).toEqual({ dtype: "int32", shape: [2], data: [1, -2] });
    expect([inline.many?.base64, inline.odd?.base64].every((text) => typeof text === "string")).toBe(true);
    expect(digestTensors(readInline(JSON.parse(JSON.stringify(inline))))).toBe(digestTensors(tensors));
  });

  test("of 64 KiB fit and of one byte more do not", () => {
    const of = (count: number) => new Map([["y", tensorFrom("uint8", [count], Array(count).fill(1))]]);
    expect(Object.keys(writeInline(of(65_536)))).toEqual(["y"]);
    expect(() => writeInline(of(65_537))).toThrow(expect.objectContaining({ code: "OutputTooLarge" }));
  });

  test.for([
    { name: "two forms of data", tensor: { dtype: "int8", shape: [1], data: [1], base64: "AQ==" } },
    { name: "no data", tensor: { dtype: "int8", shape: [1] } },
  ])("a tensor with $name has no meaning", ({ tensor }) => {
    expect(() => readInline({ y: tensor })).toThrow(expect.objectContaining({ code: "InvalidInput" }));
  });
});

describe("what an executor is asked for", () => {
  test.for([
    { name: "neither inline nor a uri", input: {} },
    { name: "both", input: { inline: {}, uri: "file:///i", digest: model.digest } },
    { name: "a uri without a digest", input: { uri: "file:///i" } },
  ])("an input that is $name is refused", ({ input }) => {
    expect(() => toExecutionRequest(model, input)).toThrow(expect.objectContaining({ code: "InvalidInput" }));
  });

  test("a digest that is none is refused", () => {
    expect(() => toExecutionRequest({ ...model, digest: "latest" }, { inline: {} })).toThrow(
      expect.objectContaining({ code: "InvalidDigest" }),
    );
  });

  test("steps without state carry none", () => {
    const steps = { count: 2, tensors: ["x"] };
    expect(toExecutionRequest(model, { uri: "file:///i", digest: model.digest, steps }).steps).toEqual({
      ...steps,
      state: [],
    });
  });
});
