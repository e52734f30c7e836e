/**
 * The graphs that Leaderboard tasks run: what a model said against what is true, as sums of integers. Integers, so that every runtime
 * gives the same bits and a panel can check them bit by bit; sums, so that shards add up and the operator has only to divide. Pure.
 *
 *   Classification   predictions [N] or [N,K], labels [N], classes int64[K]
 *                    -> confusion int64[K,K] (row: true, column: predicted), support int64[K] (rows of each class)
 *   Regression       predictions [N], labels [N], unit float64[]
 *                    -> whole, fraction int64[3] (sums of first, second and fourth powers of the errors: their whole parts, and
 *                       their fractions in 2^-40), rows, outside int64[1] (rows in the sums, and rows too far off for them)
 */
import { type Digest, sha256 } from "../../base/digest.ts";
import { numberElementType } from "../onnx/element-types.ts";
import { type Graph, type GraphNode, writeModel } from "../onnx/write-model.ts";
import { encodeBase64 } from "../tensors/base64.ts";
import { type DType, dtypes } from "../tensors/dtype.ts";

export type LeaderboardTask = "Classification" | "Regression";

/** What differs between the graphs: one is made for the types at hand, since ONNX has no generic ones. */
export interface StatisticsShape {
  readonly task: LeaderboardTask;
  readonly predictions: DType;
  readonly labels: DType;
  /** Whether predictions are scores, of which the first largest is the answer. */
  readonly scores: boolean;
}

export interface StatisticsModel {
  readonly uri: string;
  readonly digest: Digest;
  readonly format: "onnx";
}

/** Errors of this many units and more are not counted: their fourth powers would not add up in 64 bits. */
export const largestError = 2 ** 11;
export const fractionBits = 40;

/** The model of a Leaderboard task. It travels in its URI: nobody has to serve it. */
export function buildStatisticsModel(shape: StatisticsShape): StatisticsModel {
  const bytes = writeModel(shape.task === "Classification" ? classification(shape) : regression(shape), versions);
  return { uri: `data:application/onnx;base64,${encodeBase64(bytes)}`, digest: sha256(bytes), format: "onnx" };
}

/** Operator set 13 is read by every runtime since 2020. */
const versions = { opset: 13, irVersion: 7, producer: "inferium" } as const;

let own: ReadonlySet<string> | undefined;

/** Whether a digest is that of one of these graphs, for any types. */
export function isStatisticsModel(digest: string): boolean {
  own ??= new Set(
    dtypes.flatMap((predictions) => [
      buildStatisticsModel({ task: "Regression", predictions, labels: "float64", scores: false }).digest,
      ...[false, true].map(
        (scores) => buildStatisticsModel({ task: "Classification", predictions, labels: "uint8", scores }).digest,
      ),
    ]),
  );
  return own.has(digest);
}

const int64 = numberElementType("int64");
const float64 = numberElementType("float64");

function node(op: string, inputs: readonly string[], output: string, attributes?: GraphNode["attributes"]): GraphNode {
  return { op, inputs, output, ...(attributes ? { attributes } : {}) };
}

function classification({ predictions, labels, scores }: StatisticsShape): Graph {
  const answers = scores
    ? node("ArgMax", ["predictions"], "answers", { axis: 1, keepdims: 0 })
    : node("Cast", ["predictions"], "answers", { to: int64 });
  return {
    name: "confusion",
    nodes: [
      answers,
      node("Reshape", ["answers", "column"], "answer"),
      node("Equal", ["answer", "classes"], "answered"),
      node("Cast", ["answered"], "said", { to: int64 }),
      node("Cast", ["labels"], "truths", { to: int64 }),
      node("Reshape", ["truths", "column"], "truth"),
      node("Equal", ["truth", "classes"], "held"),
      node("Cast", ["held"], "true", { to: int64 }),
      node("Transpose", ["true"], "by_class", { perm: [1, 0] }),
      node("MatMul", ["by_class", "said"], "confusion"),
      node("ReduceSum", ["true", "first"], "support", { keepdims: 0 }),
    ],
    constants: [
      { name: "column", dtype: "int64", shape: [2], values: [-1, 1] },
      { name: "first", dtype: "int64", shape: [1], values: [0] },
    ],
    inputs: [
      { name: "predictions", dtype: predictions, shape: scores ? ["N", "K"] : ["N"] },
      { name: "labels", dtype: labels, shape: ["N"] },
      { name: "classes", dtype: "int64", shape: ["K"] },
    ],
    outputs: [
      { name: "confusion", dtype: "int64", shape: ["K", "K"] },
      { name: "support", dtype: "int64", shape: ["K"] },
    ],
  };
}

/**
 * A sum of floating point numbers depends on its order, and so on the machine. Of each number the whole part and the fraction in
 * 2^-40 are exact, and integers add up to the same in any order.
 */
function regression({ predictions, labels }: StatisticsShape): Graph {
  return {
    name: "errors",
    nodes: [
      node("Cast", ["predictions"], "said", { to: float64 }),
      node("Cast", ["labels"], "true", { to: float64 }),
      node("Sub", ["said", "true"], "difference"),
      node("Div", ["difference", "unit"], "signed"),
      node("Abs", ["signed"], "distance"),
      // A comparison with what is no number is false: such an answer is outside as well.
      node("Less", ["distance", "limit"], "inside"),
      node("Where", ["inside", "distance", "zero"], "counted"),
      node("Reshape", ["counted", "row"], "first"),
      node("Mul", ["first", "first"], "second"),
      node("Mul", ["second", "second"], "fourth"),
      node("Concat", ["first", "second", "fourth"], "powers", { axis: 0 }),
      node("Floor", ["powers"], "floor"),
      node("Sub", ["powers", "floor"], "rest"),
      node("Mul", ["rest", "scale"], "scaled"),
      node("Cast", ["floor"], "wholes", { to: int64 }),
      node("Cast", ["scaled"], "fractions", { to: int64 }),
      node("ReduceSum", ["wholes", "last"], "whole", { keepdims: 0 }),
      node("ReduceSum", ["fractions", "last"], "fraction", { keepdims: 0 }),
      node("Cast", ["inside"], "insides", { to: int64 }),
      node("ReduceSum", ["insides", "last"], "rows"),
      node("Not", ["inside"], "out"),
      node("Cast", ["out"], "outs", { to: int64 }),
      node("ReduceSum", ["outs", "last"], "outside"),
    ],
    constants: [
      { name: "row", dtype: "int64", shape: [2], values: [1, -1] },
      { name: "last", dtype: "int64", shape: [1], values: [-1] },
      { name: "zero", dtype: "float64", shape: [], values: [0] },
      { name: "limit", dtype: "float64", shape: [], values: [largestError] },
      { name: "scale", dtype: "float64", shape: [], values: [2 ** fractionBits] },
    ],
    inputs: [
      { name: "predictions", dtype: predictions, shape: ["N"] },
      { name: "labels", dtype: labels, shape: ["N"] },
      { name: "unit", dtype: "float64", shape: [] },
    ],
    outputs: [
      { name: "whole", dtype: "int64", shape: [3] },
      { name: "fraction", dtype: "int64", shape: [3] },
      { name: "rows", dtype: "int64", shape: [1] },
      { name: "outside", dtype: "int64", shape: [1] },
    ],
  };
}
