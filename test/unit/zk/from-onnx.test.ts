import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { lenetPath } from "../../../src/embedded/demo/models/train-lenet.ts";
import {
  constant,
  encodeOnnx,
  intAttribute,
  node,
  OnnxType,
  valueInfo,
} from "../../../src/inference/training/onnx-parts.ts";
import { readIntegerNetwork } from "../../../src/zk/network/from-onnx.ts";
import { countParameters } from "../../../src/zk/network/integer-network.ts";
import { computeBounds } from "../../../src/zk/network/layer-bounds.ts";
import { buildImageModel, buildIntegerModel } from "../../support/integer-model.ts";

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

  test("reads the convolutional classifier: an average, and the largest sums before they are scaled", () => {
    const network = readIntegerNetwork(readFileSync(lenetPath));
    expect(network.layers.map(({ kind, outputs, shift }) => [kind, outputs, shift])).toEqual([
      ["averagePool", 196, 2],
      ["convolution", 600, undefined],
      ["maxPool", 150, 9],
      ["convolution", 108, 7],
      ["dense", 10, undefined],
    ]);
    expect(countParameters(network)).toBe(6 * 25 + 6 + 12 * 54 + 12 + 108 * 10 + 10);
  });

  test("takes the exact bounds of sums from the weights", () => {
    const weights = Int32Array.of(2, -3, 5, 7);
    const layer = {
      kind: "dense" as const,
      inputs: 2,
      outputs: 2,
      weights,
      bias: Int32Array.of(1, -1),
      shift: undefined,
    };
    expect(computeBounds(layer)).toEqual([
      { low: 1, high: 1 + 255 * 7 },
      { low: -1 - 255 * 3, high: -1 + 255 * 7 },
    ]);
  });

  test.each([
    {
      what: "an operator that no circuit has",
      activation: "Sigmoid",
      code: "UnsupportedOperator",
      message: 'Sigmoid (node "clipped0")',
    },
    {
      what: "an operator in a place where it has no meaning",
      activation: "Div",
      code: "UnsupportedModel",
      message: "Div",
    },
    {
      what: "an operator of floats, with what to use instead",
      activation: "QLinearConv",
      code: "UnsupportedOperator",
      message: "It scales in floats. Scale by powers of two: ConvInteger",
    },
  ])("refuses $what, by name", ({ activation, code, message }) => {
    const onnx = buildIntegerModel({ sizes: [6, 4, 3], seed: 1, outputs: ["label"], activation });
    expect(() => readIntegerNetwork(onnx)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test("pools scaled bytes where windows overlap, and sums where they do not", () => {
    const layersWith = (strides: readonly [number, number]) => {
      const steps = [
        { kind: "convolution", filters: 1, size: [1, 1] },
        { kind: "maxPool", size: [2, 2], strides },
      ] as const;
      const onnx = buildImageModel({ image: [1, 4, 4], steps, sizes: [2], seed: 1, outputs: ["label"] });
      return readIntegerNetwork(onnx).layers.map(({ kind, shift }) => [kind, shift === undefined ? "sums" : "bytes"]);
    };
    const dense = ["dense", "sums"];
    expect(layersWith([2, 2])).toEqual([["convolution", "sums"], ["maxPool", "bytes"], dense]);
    expect(layersWith([1, 2])).toEqual([["convolution", "bytes"], ["maxPool", "sums"], dense]);
  });

  test("refuses weights whose products saturate on some processors", () => {
    const onnx = buildIntegerModel({ sizes: [6, 3], seed: 1, outputs: ["label"], maxWeight: 127 });
    expect(() => readIntegerNetwork(onnx)).toThrow(
      expect.objectContaining({ code: "UnsupportedModel", message: expect.stringContaining("within 64") }),
    );
  });

  test("refuses to reshape what is no value of a layer any more", () => {
    const graph = {
      name: "reshaped",
      node: [
        node("MatMulInteger", ["bytes", "weights"], "logits"),
        node("ArgMax", ["logits"], "first", [intAttribute("axis", 1), intAttribute("keepdims", 0)]),
        node("Reshape", ["first", "shape"], "label"),
      ],
      initializer: [constant("weights", [2, 3], new Int8Array(6)), constant("shape", [2], BigInt64Array.of(0n, 3n))],
      input: [valueInfo("bytes", OnnxType.UINT8, ["N", 2])],
      output: [valueInfo("label", OnnxType.INT64, ["N", 3])],
    };
    const onnx = encodeOnnx(graph, { opset: 13n, irVersion: 7n });
    expect(() => readIntegerNetwork(onnx)).toThrow(
      expect.objectContaining({ code: "UnsupportedModel", message: expect.stringContaining("Reshape") }),
    );
  });

  test("refuses sums that could wrap around at 32 bits", () => {
    const onnx = buildIntegerModel({ sizes: [140_000, 1], seed: 1, outputs: ["logits"], maxWeight: 64 });
    expect(() => readIntegerNetwork(onnx)).not.toThrow();
    const wide = buildIntegerModel({ sizes: [600_000, 1], seed: 1, outputs: ["logits"], maxWeight: 64 });
    expect(() => readIntegerNetwork(wide)).toThrow(expect.objectContaining({ code: "AccumulatorOverflow" }));
  });

  test.each([
    ["no ONNX file", Uint8Array.of(1, 2, 3)],
    ["an empty one", new Uint8Array()],
  ])("refuses %s", (_, bytes) => {
    expect(() => readIntegerNetwork(bytes)).toThrow(expect.objectContaining({ code: "InvalidModel" }));
  });
});
