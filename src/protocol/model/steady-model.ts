/**
 * Whether the work of a model's run is told by the shapes of its inputs alone, whatever their values: then a run that was short is
 * short again, also for a caller that means harm. Only operators that somebody has looked at count; those whose inputs say
 * shapes count where these inputs are constants. Pure.
 */
import { openModel, type VisitedNode, visitModel } from "../onnx/visit-model.ts";

const elementwise =
  "Abs Add And BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast Ceil Clip DequantizeLinear Div Elu Equal Erf Exp Floor Gelu " +
  "Greater GreaterOrEqual HardSigmoid HardSwish Identity LeakyRelu Less LessOrEqual Log Max Mean Min Mod Mul Neg Not Or Pow PRelu " +
  "QuantizeLinear Reciprocal Relu Round Selu Sigmoid Sign Softplus Softsign Sqrt Sub Sum Tanh ThresholdedRelu Where Xor";
const others =
  "ArgMax ArgMin AveragePool BatchNormalization Concat Constant Conv ConvInteger ConvTranspose DepthToSpace Dropout Flatten Gather Gemm " +
  "GlobalAveragePool GlobalMaxPool InstanceNormalization LayerNormalization LogSoftmax LRN MatMul MatMulInteger MaxPool " +
  "QLinearConv QLinearMatMul Softmax SpaceToDepth Transpose";
const steadyOperators: ReadonlySet<string> = new Set(`${elementwise} ${others}`.split(" "));

/** By operator: from which input on they say shapes or places, which the values of a caller must not do. */
const shapeInputs: ReadonlyMap<string, number> = new Map([
  ["ReduceL1", 1],
  ["ReduceL2", 1],
  ["ReduceMax", 1],
  ["ReduceMean", 1],
  ["ReduceMin", 1],
  ["ReduceProd", 1],
  ["ReduceSum", 1],
  ["ReduceSumSquare", 1],
  ["Reshape", 1],
  ["Slice", 1],
  ["Split", 1],
  ["Squeeze", 1],
  ["TopK", 1],
  ["Unsqueeze", 1],
]);

/** False also for what cannot be read. */
export function isSteadyModel(bytes: Uint8Array): boolean {
  const nodes: VisitedNode[] = [];
  const constants = new Set<string>();
  try {
    const parts = openModel(bytes);
    // Their bodies have names of their own.
    if (parts.functions.length > 0) return false;
    visitModel(parts, {
      node: (node) => void nodes.push(node),
      constant: ({ name }) => void constants.add(name),
      value: () => undefined,
    });
  } catch {
    return false;
  }
  for (const { opType, outputs } of nodes)
    if (opType === "Constant") for (const output of outputs) constants.add(output);
  return nodes.every((node) => isSteadyNode(node, constants));
}

function isSteadyNode({ domain, opType, inputs }: VisitedNode, constants: ReadonlySet<string>): boolean {
  if (domain !== "ai.onnx") return false;
  if (steadyOperators.has(opType)) return true;
  const first = shapeInputs.get(opType);
  // An input that is left out has no name.
  return first !== undefined && inputs.slice(first).every((name) => name === "" || constants.has(name));
}
