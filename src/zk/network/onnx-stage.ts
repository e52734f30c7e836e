/**
 * What a name in an ONNX graph stands for on the way to a network, and what the rules of from-onnx.ts share to read a node: its
 * constants, and refusals that name it. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import type { OnnxConstant, OnnxGraph, OnnxNode } from "../onnx/read-graph.ts";
import type { Layer } from "./integer-network.ts";

export interface Stage {
  /**
   * bytes: uint8. products: sums without a bias; sums: with one; rectified: after Relu. clipped, scaled: on the way to bytes.
   * label, score: outputs.
   */
  readonly at: "bytes" | "products" | "sums" | "rectified" | "clipped" | "scaled" | "label" | "score";
  /** One list object runs through the graph from the last layer on: outputs of two branches would hold two. */
  readonly layers: readonly Layer[];
  /** Axes after the first, which is that of the rows. */
  readonly shape: readonly number[];
  /** Of Clip. */
  readonly limit?: number;
}

/** Makes of the node's first input what its output stands for. */
export type Rule = (node: OnnxNode, source: Stage, graph: OnnxGraph) => Stage;

export function lastLayer(node: OnnxNode, { layers }: Stage): { before: readonly Layer[]; layer: Layer } {
  const layer = layers.at(-1);
  if (layer === undefined) throw misplaced(node, "a layer before it");
  return { before: layers.slice(0, -1), layer };
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function constantOf(graph: OnnxGraph, node: OnnxNode, index: number): OnnxConstant {
  const constant = graph.constants.get(node.inputs[index] ?? "");
  if (constant === undefined) throw misplaced(node, `a constant as input ${index + 1}`);
  return constant;
}

export function scalarOf(graph: OnnxGraph, node: OnnxNode, index: number): number {
  const { values } = constantOf(graph, node, index);
  const [value] = values;
  if (values.length !== 1 || value === undefined) throw misplaced(node, `one number as input ${index + 1}`);
  return value;
}

/** Weights less their zero point. Activations have none: their zero is 0. */
export function readWeights(graph: OnnxGraph, node: OnnxNode): OnnxConstant {
  const weights = constantOf(graph, node, 1);
  if (weights.type !== "uint8" && weights.type !== "int8") throw misplaced(node, "weights of uint8 or int8");
  const zeroPoint = (index: number) => ((node.inputs[index] ?? "") === "" ? 0 : scalarOf(graph, node, index));
  if (zeroPoint(2) !== 0) throw misplaced(node, "activations with zero point 0");
  const weightZero = zeroPoint(3);
  return { ...weights, values: weights.values.map((weight) => weight - weightZero) };
}

export function misplaced(node: OnnxNode, expected: string): InferiumError {
  return unsupported(`has ${node.opType} (node "${node.name}") where it cannot be proven`, `${expected} there`);
}

export function unsupported(got: string, expected: string): InferiumError {
  return new InferiumError(
    "UnsupportedModel",
    `The model ${got}; a proof expects ${expected}. Use another verification policy for this model.`,
  );
}
