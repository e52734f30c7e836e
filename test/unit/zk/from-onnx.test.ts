import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readIntegerNetwork } from "../../../src/zk/network/from-onnx.ts";
import { computeBounds, countParameters } from "../../../src/zk/network/integer-network.ts";
import { buildIntegerModel } from "../../support/integer-model.ts";

describe("an ONNX model as a network for a circuit", () => {
  test("reads the classifier of the demo", () => {
    const onnx = readFileSync(new URL("../../../src/embedded/demo/models/mnist-int8.onnx", import.meta.url));
    const network = readIntegerNetwork(onnx);
    expect(network.layers.map(({ inputs, outputs }) => [inputs, outputs])).toEqual([
      [784, 64],
      [64, 10],
    ]);
    expect(network.outputs).toEqual([
      { name: "label", kind: "label" },
      { name: "score", kind: "score" },
    ]);
    expect(countParameters(network)).toBe(784 * 64 + 64 + 64 * 10 + 10);
  });

  test("takes the exact bounds of sums from the weights", () => {
    const weights = Int32Array.of(2, -3, 5, 7);
    const layer = { inputs: 2, outputs: 2, weights, bias: Int32Array.of(1, -1), shift: undefined };
    expect(computeBounds(layer)).toEqual([
      { low: 1, high: 1 + 255 * 7 },
      { low: -1 - 255 * 3, high: -1 + 255 * 7 },
    ]);
  });

  test.each([
    {
      what: "an operator that no circuit has",
      activation: "Relu",
      code: "UnsupportedOperator",
      message: 'Relu (node "clipped0")',
    },
    {
      what: "an operator in a place where it has no meaning",
      activation: "Div",
      code: "UnsupportedModel",
      message: "Div",
    },
  ])("refuses $what, by name", ({ activation, code, message }) => {
    const onnx = buildIntegerModel({ sizes: [6, 4, 3], seed: 1, outputs: ["label"], activation });
    expect(() => readIntegerNetwork(onnx)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test("refuses sums that could wrap around at 32 bits", () => {
    const onnx = buildIntegerModel({ sizes: [70_000, 1], seed: 1, outputs: ["logits"], maxWeight: 127 });
    expect(() => readIntegerNetwork(onnx)).not.toThrow();
    const wide = buildIntegerModel({ sizes: [300_000, 1], seed: 1, outputs: ["logits"], maxWeight: 127 });
    expect(() => readIntegerNetwork(wide)).toThrow(expect.objectContaining({ code: "AccumulatorOverflow" }));
  });

  test.each([
    ["no ONNX file", Uint8Array.of(1, 2, 3)],
    ["an empty one", new Uint8Array()],
  ])("refuses %s", (_, bytes) => {
    expect(() => readIntegerNetwork(bytes)).toThrow(expect.objectContaining({ code: "InvalidModel" }));
  });
});
