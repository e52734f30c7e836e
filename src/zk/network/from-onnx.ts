/**
 * Recognises an all-integer ONNX graph as a network that a circuit can prove: MatMulInteger, Add, Clip, Div by 2^k, Cast to
 * uint8, then ArgMax or ReduceMax. Anything else is refused by name, since a proof of something similar proves nothing. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import { elementTypes, type OnnxConstant, type OnnxGraph, type OnnxNode, readOnnxGraph } from "../onnx/read-graph.ts";
import { computeBounds, type DenseLayer, type IntegerNetwork, type NetworkOutput } from "./integer-network.ts";

/** What a name in the graph stands for, on the way through one layer. */
type Stage =
  | { readonly at: "bytes"; readonly layers: readonly DenseLayer[]; readonly size: number }
  | { readonly at: "sums" | "products"; readonly layers: readonly DenseLayer[] }
  | { readonly at: "clipped"; readonly layers: readonly DenseLayer[]; readonly limit: number }
  | { readonly at: "scaled"; readonly layers: readonly DenseLayer[] }
  | { readonly at: "label" | "score"; readonly layers: readonly DenseLayer[] };

type Rule = (node: OnnxNode, source: Stage, graph: OnnxGraph) => Stage;

const rules: Readonly<Record<string, Rule>> = {
  MatMulInteger: applyProduct,
  Add: applyBias,
  Clip: applyClip,
  Div: applyDivision,
  Cast: applyCast,
  ArgMax: (node, source) => applyReduction(node, source, "label"),
  ReduceMax: (node, source) => applyReduction(node, source, "score"),
};

/** @throws InferiumError InvalidModel, UnsupportedTensor, UnsupportedOperator, UnsupportedModel, AccumulatorOverflow */
export function readIntegerNetwork(onnx: Uint8Array): IntegerNetwork {
  const graph = readOnnxGraph(onnx);
  const { name: inputName, size } = readInput(graph);
  const stages = new Map<string, Stage>([[inputName, { at: "bytes", layers: [], size }]]);
  for (const node of graph.nodes) applyNode(node, stages, graph);
  const outputs = graph.outputs.map(({ name }) => ({ name, stage: stages.get(name) }));
  const layers = outputs[0]?.stage?.layers ?? [];
  const named = outputs.map(({ name, stage }) => readOutput(name, stage, layers));
  named.sort((left, right) => (left.name < right.name ? -1 : 1));
  layers.forEach(checkAccumulators);
  return { inputName, inputs: size, layers, outputs: named };
}

function readInput(graph: OnnxGraph): { name: string; size: number } {
  const [input, ...more] = graph.inputs;
  const [, size] = input?.shape ?? [];
  const isBytes = elementTypes.get(input?.elementType ?? 0) === "uint8" && input?.shape.length === 2;
  if (input === undefined || more.length > 0 || !isBytes || size === undefined) {
    throw unsupported(
      `takes ${graph.inputs.map(({ name }) => name).join(", ") || "nothing"}`,
      "one input uint8[N,size]",
    );
  }
  return { name: input.name, size };
}

function applyNode(node: OnnxNode, stages: Map<string, Stage>, graph: OnnxGraph): void {
  const rule = Object.hasOwn(rules, node.opType) ? rules[node.opType] : undefined;
  if (rule === undefined) {
    throw new InferiumError(
      "UnsupportedOperator",
      `The model uses ${node.opType} (node "${node.name}"); a proof covers ${Object.keys(rules).join(", ")}. Use another verification policy for this model.`,
      { evidence: { operator: node.opType, node: node.name } },
    );
  }
  const source = stages.get(node.inputs[0] ?? "");
  const output = node.outputs[0];
  if (source === undefined || output === undefined) throw misplaced(node, "the result of the node before it");
  stages.set(output, rule(node, source, graph));
}

function applyProduct(node: OnnxNode, source: Stage, graph: OnnxGraph): Stage {
  const weights = constantOf(graph, node, 1);
  const [inputs, outputs] = weights.shape;
  if (source.at !== "bytes") throw misplaced(node, "uint8 activations");
  if (node.inputs.length > 2) throw misplaced(node, "no zero points");
  if (weights.shape.length !== 2 || inputs !== source.size || outputs === undefined || weights.type === "int32") {
    throw misplaced(node, `weights of uint8 or int8 [${source.size},outputs]`);
  }
  const bias = new Int32Array(outputs);
  return {
    at: "products",
    layers: [...source.layers, { inputs, outputs, weights: weights.values, bias, shift: undefined }],
  };
}

function applyBias(node: OnnxNode, source: Stage, graph: OnnxGraph): Stage {
  const { before, layer } = lastLayer(node, source);
  const bias = constantOf(graph, node, 1);
  const fits = bias.type === "int32" && bias.values.length === layer.outputs && bias.shape.at(-1) === layer.outputs;
  if (source.at !== "products" || !fits) throw misplaced(node, `int32 biases [${layer.outputs}] added to a product`);
  return { at: "sums", layers: [...before, { ...layer, bias: bias.values }] };
}

function applyClip(node: OnnxNode, source: Stage, graph: OnnxGraph): Stage {
  if (source.at !== "sums" && source.at !== "products") throw misplaced(node, "the sums of a layer");
  if (scalarOf(graph, node, 1) !== 0) throw misplaced(node, "zero as lower limit");
  return { at: "clipped", layers: source.layers, limit: scalarOf(graph, node, 2) };
}

function applyDivision(node: OnnxNode, source: Stage, graph: OnnxGraph): Stage {
  const divisor = scalarOf(graph, node, 1);
  const shift = Math.log2(divisor);
  if (source.at !== "clipped" || !Number.isInteger(shift) || source.limit !== 256 * divisor - 1) {
    throw misplaced(node, "a power of two, after Clip to 256 times it less one");
  }
  const { before, layer } = lastLayer(node, source);
  return { at: "scaled", layers: [...before, { ...layer, shift }] };
}

function applyCast(node: OnnxNode, source: Stage): Stage {
  const { layer } = lastLayer(node, source);
  const isUint8 = elementTypes.get(node.attributes.get("to")?.[0] ?? 0) === "uint8";
  if (source.at !== "scaled" || !isUint8) throw misplaced(node, "activations scaled to bytes, cast to uint8");
  return { at: "bytes", layers: source.layers, size: layer.outputs };
}

function applyReduction(node: OnnxNode, source: Stage, at: "label" | "score"): Stage {
  const axis = node.attributes.get("axis") ?? node.attributes.get("axes") ?? [];
  const isRowwise = axis.length === 1 && (axis[0] === 1 || axis[0] === -1);
  const isLast = node.attributes.get("select_last_index")?.[0] === 1;
  if ((source.at !== "sums" && source.at !== "products") || !isRowwise || isLast || node.inputs.length > 1) {
    throw misplaced(node, "the sums of the last layer, along axis 1, the first index winning");
  }
  return { at, layers: source.layers };
}

function readOutput(name: string, stage: Stage | undefined, layers: readonly DenseLayer[]): NetworkOutput {
  // One list object runs through the graph from the last layer on: outputs of two branches would hold two.
  if (stage === undefined || stage.layers !== layers) throw unsupported(`gives "${name}"`, "outputs of one last layer");
  if (stage.at === "sums" || stage.at === "products") return { name, kind: "logits" };
  if (stage.at === "label" || stage.at === "score") return { name, kind: stage.at };
  throw unsupported(`gives "${name}" from within`, "logits, ArgMax or ReduceMax of the last layer");
}

/** onnxruntime's sums wrap around at 32 bits; the field's do not. Where they could differ, nothing can be proven. */
function checkAccumulators(layer: DenseLayer, index: number): void {
  for (const { low, high } of computeBounds(layer)) {
    if (low >= -(2 ** 31) && high < 2 ** 31) continue;
    throw new InferiumError(
      "AccumulatorOverflow",
      `A sum of layer ${index + 1} can reach ${low} or ${high}, expected at most 32 bits with sign. Use smaller weights or fewer inputs.`,
    );
  }
}

function lastLayer(node: OnnxNode, source: Stage): { before: readonly DenseLayer[]; layer: DenseLayer } {
  const layer = source.layers.at(-1);
  if (layer === undefined) throw misplaced(node, "a layer before it");
  return { before: source.layers.slice(0, -1), layer };
}

function constantOf(graph: OnnxGraph, node: OnnxNode, index: number): OnnxConstant {
  const constant = graph.constants.get(node.inputs[index] ?? "");
  if (constant === undefined) throw misplaced(node, `a constant as input ${index + 1}`);
  return constant;
}

function scalarOf(graph: OnnxGraph, node: OnnxNode, index: number): number {
  const { values } = constantOf(graph, node, index);
  const [value] = values;
  if (values.length !== 1 || value === undefined) throw misplaced(node, `one number as input ${index + 1}`);
  return value;
}

function misplaced(node: OnnxNode, expected: string): InferiumError {
  return unsupported(`has ${node.opType} (node "${node.name}") where it cannot be proven`, `${expected} there`);
}

function unsupported(got: string, expected: string): InferiumError {
  return new InferiumError(
    "UnsupportedModel",
    `The model ${got}; a proof expects ${expected}. Use another verification policy for this model.`,
  );
}
