/**
 * Recognises an all-integer ONNX graph as a network that a circuit can prove: layers of MatMulInteger or ConvInteger with Add, scaled
 * by Clip, Div by 2^k and Cast to uint8; MaxPool; Reshape and Flatten; then ArgMax or ReduceMax. Anything else is refused by name,
 * since a proof of something similar proves nothing. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import { elementTypes, type OnnxGraph, type OnnxNode, readOnnxGraph } from "../onnx/read-graph.ts";
import type { DenseLayer, IntegerNetwork, Layer, NetworkOutput } from "./integer-network.ts";
import { computeNetworkBounds } from "./layer-bounds.ts";
import { applyConvolution, applyFlatten, applyMaxPool, applyReshape, isWindowSum } from "./onnx-images.ts";
import {
  constantOf,
  lastLayer,
  misplaced,
  type Rule,
  readWeights,
  type Stage,
  scalarOf,
  sizeOf,
  unsupported,
} from "./onnx-stage.ts";
import { countTaps } from "./window.ts";

const rules: Readonly<Record<string, Rule>> = {
  MatMulInteger: applyProduct,
  ConvInteger: applyConvolution,
  Add: applyBias,
  Relu: applyRelu,
  Clip: applyClip,
  Div: applyDivision,
  Cast: applyCast,
  MaxPool: applyMaxPool,
  Reshape: applyReshape,
  Flatten: applyFlatten,
  ArgMax: (node, source) => applyReduction(node, source, "label"),
  ReduceMax: (node, source) => applyReduction(node, source, "score"),
};

const inIntegers = "with Add, Clip to [0, 256 * 2^k - 1], Div by 2^k and Cast to uint8";

/**
 * onnxruntime multiplies uint8 by int8 on older x86 processors in pairs whose sums saturate at 16 bits, where both weights of a pair go
 * beyond this. What it gives there is not the product, and no proof of the product would be one of it.
 */
const maxInt8Weight = 64;

/** What to use in place of well-known operators that no circuit has. */
const substitutes: Readonly<Record<string, string>> = {
  AveragePool: "Average with a ConvInteger of ones, one group for each channel, Div by 2^k and Cast to uint8.",
  GlobalAveragePool: "Average with a ConvInteger of ones, one group for each channel, Div by 2^k and Cast to uint8.",
  QLinearConv: `It scales in floats. Scale by powers of two: ConvInteger ${inIntegers}.`,
  QLinearMatMul: `It scales in floats. Scale by powers of two: MatMulInteger ${inIntegers}.`,
  QuantizeLinear: "It computes in floats. Take bytes as input, and scale by powers of two.",
  DequantizeLinear: "It computes in floats. Give the integers themselves as output.",
  DynamicQuantizeLinear: "Its scale depends on the input. Quantise with scales that are powers of two.",
  Conv: `It computes in floats. Quantise the model: ConvInteger ${inIntegers}.`,
  Gemm: `It computes in floats. Quantise the model: MatMulInteger ${inIntegers}.`,
  MatMul: `It computes in floats. Quantise the model: MatMulInteger ${inIntegers}.`,
  Softmax: "Leave it out: the largest logit is that of the largest probability.",
};

/** @throws InferiumError InvalidModel, UnsupportedTensor, UnsupportedOperator, UnsupportedModel, AccumulatorOverflow */
export function readIntegerNetwork(onnx: Uint8Array): IntegerNetwork {
  const graph = readOnnxGraph(onnx);
  const { name: inputName, size } = readInput(graph);
  const stages = new Map<string, Stage>([[inputName, { at: "bytes", layers: [], shape: [size] }]]);
  for (const node of graph.nodes) applyNode(node, stages, graph);
  const outputs = graph.outputs.map(({ name }) => ({ name, stage: stages.get(name) }));
  const layers = outputs[0]?.stage?.layers ?? [];
  const named = outputs.map(({ name, stage }) => readOutput(name, stage, layers));
  named.sort((left, right) => (left.name < right.name ? -1 : 1));
  const network = { inputName, inputs: size, layers, outputs: named };
  checkAccumulators(network);
  return network;
}

function readInput(graph: OnnxGraph): { name: string; size: number } {
  const [input, ...more] = graph.inputs;
  const [, size] = input?.shape ?? [];
  const isBytes = elementTypes.get(input?.elementType ?? 0) === "uint8" && input?.shape.length === 2;
  if (input === undefined || more.length > 0 || !isBytes || size === undefined) {
    throw unsupported(
      `takes ${graph.inputs.map(({ name }) => name).join(", ") || "nothing"}`,
      "one input uint8[N,size], which a Reshape may make an image of",
    );
  }
  return { name: input.name, size };
}

function applyNode(node: OnnxNode, stages: Map<string, Stage>, graph: OnnxGraph): void {
  const rule = Object.hasOwn(rules, node.opType) ? rules[node.opType] : undefined;
  if (rule === undefined) throw unknownOperator(node);
  const source = stages.get(node.inputs[0] ?? "");
  const output = node.outputs[0];
  if (source === undefined || output === undefined) throw misplaced(node, "the result of the node before it");
  stages.set(output, rule(node, source, graph));
}

function unknownOperator({ opType, name }: OnnxNode): InferiumError {
  const substitute = Object.hasOwn(substitutes, opType) ? ` ${substitutes[opType]}` : "";
  return new InferiumError(
    "UnsupportedOperator",
    `The model uses ${opType} (node "${name}"); a proof covers ${Object.keys(rules).join(", ")}.${substitute} Or use another verification policy for this model.`,
    { evidence: { operator: opType, node: name } },
  );
}

function applyProduct(node: OnnxNode, source: Stage, graph: OnnxGraph): Stage {
  if (source.at !== "bytes" || source.shape.length !== 1) throw misplaced(node, "uint8 activations [N,inputs]");
  const { values: weights, shape, type } = readWeights(graph, node);
  const [inputs, outputs] = shape;
  if (type === "int8" && weights.some((weight) => Math.abs(weight) > maxInt8Weight)) {
    throw misplaced(node, `weights within ${maxInt8Weight} of zero, or of uint8 with a zero point,`);
  }
  if (shape.length !== 2 || inputs !== source.shape[0] || inputs === undefined || outputs === undefined) {
    throw misplaced(node, `weights [${source.shape},outputs]`);
  }
  const bias = new Int32Array(outputs);
  const layer: DenseLayer = { kind: "dense", inputs, outputs, weights, bias, shift: undefined };
  return { at: "products", layers: [...source.layers, layer], shape: [outputs] };
}

function applyBias(node: OnnxNode, source: Stage, graph: OnnxGraph): Stage {
  const { before, layer } = lastLayer(node, source);
  const { type, values, shape } = constantOf(graph, node, 1);
  const expected = `int32 biases [${source.shape.map((size, axis) => (axis === 0 ? size : 1)).join()}] added to a product`;
  if (source.at !== "products" || type !== "int32" || !("bias" in layer)) throw misplaced(node, expected);
  const axes = shape.length - source.shape.length;
  const isForEach = shape.slice(Math.max(0, axes)).every((size, axis) => size === (axis === 0 ? source.shape[0] : 1));
  const isBroadcast = axes >= 0 && shape.slice(0, axes).every((size) => size === 1);
  if (!isForEach || !isBroadcast || values.length !== layer.bias.length) throw misplaced(node, expected);
  return { ...source, at: "sums", layers: [...before, { ...layer, bias: values }] };
}

const sums: readonly Stage["at"][] = ["products", "sums", "rectified"];

function applyRelu(node: OnnxNode, source: Stage): Stage {
  if (source.at !== "sums" && source.at !== "products") throw misplaced(node, "the sums of a layer");
  const size = sizeOf(source.shape);
  const relu: Layer = { kind: "relu", inputs: size, outputs: size, shift: undefined };
  return { at: "rectified", layers: [...source.layers, relu], shape: source.shape };
}

function applyClip(node: OnnxNode, source: Stage, graph: OnnxGraph): Stage {
  if (!sums.includes(source.at)) throw misplaced(node, "the sums of a layer");
  if (scalarOf(graph, node, 1) !== 0) throw misplaced(node, "zero as lower limit");
  // The step to bytes holds a ReLU of its own.
  const layers = source.at === "rectified" ? source.layers.slice(0, -1) : source.layers;
  return { ...source, at: "clipped", layers, limit: scalarOf(graph, node, 2) };
}

function applyDivision(node: OnnxNode, source: Stage, graph: OnnxGraph): Stage {
  const divisor = scalarOf(graph, node, 1);
  const shift = Math.log2(divisor);
  const { before, layer } = lastLayer(node, source);
  const isAverage = isWindowSum(layer) && countTaps(layer.window) <= divisor;
  const isClipped = source.at === "clipped" && source.limit === 256 * divisor - 1;
  // Sums of a window are never negative and never too large: Clip would change nothing.
  if (!Number.isInteger(shift) || !(isClipped || (isAverage && source.at === "products"))) {
    throw misplaced(node, "a power of two, after Clip to 256 times it less one");
  }
  const { inputs, outputs } = layer;
  const scaled: Layer = isAverage
    ? { kind: "averagePool", inputs, outputs, image: layer.image, window: layer.window, shift }
    : ({ ...layer, shift } as Layer);
  return { at: "scaled", layers: [...before, scaled], shape: source.shape };
}

function applyCast(node: OnnxNode, source: Stage): Stage {
  const isUint8 = elementTypes.get(node.attributes.get("to")?.[0] ?? 0) === "uint8";
  if (source.at !== "scaled" || !isUint8) throw misplaced(node, "activations scaled to bytes, cast to uint8");
  return { ...source, at: "bytes" };
}

function applyReduction(node: OnnxNode, source: Stage, at: "label" | "score"): Stage {
  const axis = node.attributes.get("axis") ?? node.attributes.get("axes") ?? [];
  const isRowwise = axis.length === 1 && (axis[0] === 1 || axis[0] === -1) && source.shape.length === 1;
  const isLast = node.attributes.get("select_last_index")?.[0] === 1;
  if (!sums.includes(source.at) || !isRowwise || isLast || node.inputs.length > 1) {
    throw misplaced(node, "the sums of the last layer, along axis 1, the first index winning");
  }
  return { ...source, at };
}

function readOutput(name: string, stage: Stage | undefined, layers: readonly Layer[]): NetworkOutput {
  if (stage === undefined || stage.layers !== layers) throw unsupported(`gives "${name}"`, "outputs of one last layer");
  if (stage.at === "label" || stage.at === "score") return { name, kind: stage.at };
  if (sums.includes(stage.at) && stage.shape.length === 1) return { name, kind: "logits" };
  throw unsupported(`gives "${name}" from within`, "logits, ArgMax or ReduceMax of the last layer");
}

/** onnxruntime's sums wrap around at 32 bits; the field's do not. Where they could differ, nothing can be proven. */
function checkAccumulators(network: IntegerNetwork): void {
  computeNetworkBounds(network).forEach(({ values }, index) => {
    for (const { low, high } of values) {
      if (low >= -(2 ** 31) && high < 2 ** 31) continue;
      throw new InferiumError(
        "AccumulatorOverflow",
        `A sum of layer ${index + 1} can reach ${low} or ${high}, expected at most 32 bits with sign. Use smaller weights or fewer inputs.`,
      );
    }
  });
}
