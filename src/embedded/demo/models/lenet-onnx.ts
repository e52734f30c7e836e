/**
 * The integer network of quantise-lenet.ts as an ONNX graph: `pixels` uint8[N,784] -> `label` int64[N], `score` int32[N], as
 * mnist-onnx.ts has them. onnxruntime convolves with weights of uint8 alone: they come with zero point 128. Pure.
 */

import {
  constant,
  encodeOnnx,
  intAttribute,
  intsAttribute,
  node,
  OnnxType,
  valueInfo,
} from "../../../inference/training/onnx-parts.ts";
import { classes } from "../../../inference/training/perceptron/mlp.ts";
import { versions } from "../../../inference/training/perceptron/mnist-onnx.ts";
import { pixelsPerImage } from "../data/mnist.ts";
import { features, first, second } from "./lenet.ts";
import type { IntegerLeNet } from "./quantise-lenet.ts";

const weightZero = 128;

export function buildLeNetOnnx(net: IntegerLeNet): Uint8Array {
  const graph = {
    name: "mnist-lenet-int8",
    node: buildNodes(),
    initializer: buildConstants(net),
    input: [valueInfo("pixels", OnnxType.UINT8, ["N", pixelsPerImage])],
    output: [valueInfo("label", OnnxType.INT64, ["N"]), valueInfo("score", OnnxType.INT32, ["N"])],
  };
  return encodeOnnx(graph, versions);
}

function buildNodes() {
  const twoByTwo = intsAttribute("strides", [2, 2]);
  const pair = [intsAttribute("kernel_shape", [2, 2]), twoByTwo];
  return [
    node("Reshape", ["pixels", "image_shape"], "image"),
    node("ConvInteger", ["image", "ones", "zero_byte", "zero_byte"], "pixel_sums", [twoByTwo]),
    node("Div", ["pixel_sums", "four"], "pixel_averages"),
    node("Cast", ["pixel_averages"], "averaged", [intAttribute("to", OnnxType.UINT8)]),
    ...buildConvolution("averaged", "first"),
    node("MaxPool", ["first"], "largest", pair),
    ...buildConvolution("largest", "second"),
    node("Flatten", ["second"], "features", [intAttribute("axis", 1)]),
    node("MatMulInteger", ["features", "output_weights"], "output_products"),
    node("Add", ["output_products", "output_bias"], "logits"),
    node("ArgMax", ["logits"], "label", [intAttribute("axis", 1), intAttribute("keepdims", 0)]),
    node("ReduceMax", ["logits"], "score", [intsAttribute("axes", [1]), intAttribute("keepdims", 0)]),
  ];
}

function buildConvolution(input: string, name: string) {
  return [
    node("ConvInteger", [input, `${name}_weights`, "zero_byte", "weight_zero"], `${name}_products`),
    node("Add", [`${name}_products`, `${name}_bias`], `${name}_sums`),
    node("Clip", [`${name}_sums`, "zero", `${name}_limit`], `${name}_clipped`),
    node("Div", [`${name}_clipped`, `${name}_divisor`], `${name}_scaled`),
    node("Cast", [`${name}_scaled`], name, [intAttribute("to", OnnxType.UINT8)]),
  ];
}

function buildConstants(net: IntegerLeNet) {
  const layer = (name: string, shift: number, bias: Float64Array) => [
    constant(`${name}_bias`, [bias.length, 1, 1], Int32Array.from(bias)),
    constant(`${name}_limit`, [], Int32Array.of(256 * 2 ** shift - 1)),
    constant(`${name}_divisor`, [], Int32Array.of(2 ** shift)),
  ];
  const weights = (name: string, shape: readonly number[], values: Float64Array) =>
    constant(
      `${name}_weights`,
      shape,
      Uint8Array.from(values, (weight) => weight + weightZero),
    );
  const [a, b] = [first, second];
  return [
    constant("image_shape", [4], BigInt64Array.of(-1n, 1n, 28n, 28n)),
    constant("ones", [1, 1, 2, 2], Uint8Array.of(1, 1, 1, 1)),
    constant("four", [], Int32Array.of(4)),
    constant("zero", [], Int32Array.of(0)),
    constant("zero_byte", [], Uint8Array.of(0)),
    constant("weight_zero", [], Uint8Array.of(weightZero)),
    weights("first", [a.filters, 1, a.size, a.size], net.firstWeights),
    ...layer("first", net.firstShift, net.firstBias),
    weights("second", [b.filters, a.filters, b.size, b.size], net.secondWeights),
    ...layer("second", net.secondShift, net.secondBias),
    constant("output_weights", [features, classes], Int8Array.from(net.outputWeights)),
    constant("output_bias", [classes], Int32Array.from(net.outputBias)),
  ];
}
