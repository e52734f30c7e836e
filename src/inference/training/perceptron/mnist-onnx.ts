/**
 * The integer network of quantise.ts as an ONNX graph: `pixels` uint8[N,784] -> `label` int64[N], `score` int32[N].
 * The score is the label's logit: a label alone could be guessed by a cheaper model, its score only computed by this one.
 * Every operator is one of integers, so every conforming runtime gives the same bits. Pure.
 */

import { constant, encodeOnnx, intAttribute, intsAttribute, node, OnnxType, valueInfo } from "../onnx-parts.ts";
import { pixelsPerImage } from "./digits.ts";
import { classes, hiddenUnits } from "./mlp.ts";
import type { IntegerMlp } from "./quantise.ts";

/** Operator set 13 has integer Clip, Div and ArgMax, and is read by every runtime since 2020. */
export const versions = { irVersion: 7n, opset: 13n, producerName: "inferium" } as const;

export function buildMnistOnnx(model: IntegerMlp): Uint8Array {
  const graph = {
    name: "mnist-int8",
    node: buildNodes(),
    initializer: buildConstants(model),
    input: [valueInfo("pixels", OnnxType.UINT8, ["N", pixelsPerImage])],
    output: [valueInfo("label", OnnxType.INT64, ["N"]), valueInfo("score", OnnxType.INT32, ["N"])],
  };
  return encodeOnnx(graph, versions);
}

function buildNodes() {
  return [
    node("MatMulInteger", ["pixels", "hidden_weights"], "hidden_products"),
    node("Add", ["hidden_products", "hidden_bias"], "hidden_sums"),
    // Clipped first: what is divided is never negative, so that rounding towards zero and downwards are the same.
    node("Clip", ["hidden_sums", "zero", "hidden_limit"], "hidden_clipped"),
    node("Div", ["hidden_clipped", "hidden_divisor"], "hidden_scaled"),
    node("Cast", ["hidden_scaled"], "hidden", [intAttribute("to", OnnxType.UINT8)]),
    node("MatMulInteger", ["hidden", "output_weights"], "output_products"),
    node("Add", ["output_products", "output_bias"], "logits"),
    node("ArgMax", ["logits"], "label", [intAttribute("axis", 1), intAttribute("keepdims", 0)]),
    node("ReduceMax", ["logits"], "score", [intsAttribute("axes", [1]), intAttribute("keepdims", 0)]),
  ];
}

function buildConstants(model: IntegerMlp) {
  const divisor = 2 ** model.shift;
  return [
    constant("hidden_weights", [pixelsPerImage, hiddenUnits], model.hiddenWeights),
    constant("hidden_bias", [hiddenUnits], model.hiddenBias),
    constant("zero", [], Int32Array.of(0)),
    constant("hidden_limit", [], Int32Array.of(256 * divisor - 1)),
    constant("hidden_divisor", [], Int32Array.of(divisor)),
    constant("output_weights", [hiddenUnits, classes], model.outputWeights),
    constant("output_bias", [classes], model.outputBias),
  ];
}
