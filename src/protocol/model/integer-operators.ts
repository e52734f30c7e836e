/**
 * Operators by what they mean for verification. Lists of those that are known, so that a new operator counts as neither integer
 * nor repeatable before somebody has looked at it. Pure.
 */

/** Give integers for integers, the same on every machine. */
export const integerOperators: ReadonlySet<string> = new Set(
  (
    "Abs Add And ArgMax ArgMin BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast Clip Compress Concat Constant ConstantOfShape " +
    "ConvInteger CumSum DepthToSpace Div Equal Expand Flatten Gather GatherElements GatherND Greater GreaterOrEqual Identity If Less " +
    "LessOrEqual Loop MatMul MatMulInteger Max MaxPool Min Mod Mul Neg NonZero Not OneHot Or Pad Range ReduceMax ReduceMin ReduceProd " +
    "ReduceSum Relu Reshape ReverseSequence Scan Scatter ScatterElements ScatterND Shape Sign Size Slice SpaceToDepth Split Squeeze Sub " +
    "Sum Tile TopK Transpose Trilu Unique Unsqueeze Where Xor"
  ).split(" "),
);

/** Draw numbers: no second run gives their results again, also with a seed, whose state goes on from run to run. */
export const randomOperators: ReadonlySet<string> = new Set(
  "Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike".split(" "),
);

/** 8-bit products, with the position of the weights among the node's inputs. */
export const byteProducts: ReadonlyMap<string, number> = new Map([
  ["MatMulInteger", 1],
  ["ConvInteger", 1],
  ["QLinearMatMul", 3],
  ["QLinearConv", 3],
  ["com.microsoft.MatMulIntegerToFloat", 1],
  ["com.microsoft.DynamicQuantizeMatMul", 1],
  ["com.microsoft.QGemm", 3],
]);

/** What onnxruntime itself knows. */
export const knownDomains: ReadonlySet<string> = new Set(["ai.onnx", "ai.onnx.ml", "com.microsoft"]);
