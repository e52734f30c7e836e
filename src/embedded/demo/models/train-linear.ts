/**
 * Makes mnist-linear-int8.onnx, the smallest committed model, from the MNIST training images: trains, quantises, writes. The same
 * bytes every time and everywhere; `--check` proves it against the committed file.
 *
 *   node src/embedded/demo/models/train-linear.ts [--check]
 */
import { fileURLToPath } from "node:url";
import {
  constant,
  encodeOnnx,
  intAttribute,
  intsAttribute,
  node,
  OnnxType,
  valueInfo,
} from "../../../inference/training/onnx-parts.ts";
import { sliceDigits } from "../../../inference/training/perceptron/digits.ts";
import { classes } from "../../../inference/training/perceptron/mlp.ts";
import { versions } from "../../../inference/training/perceptron/mnist-onnx.ts";
import { loadMnist, pixelsPerImage } from "../data/mnist.ts";
import { countLinearRight, type IntegerLinear, quantiseLinear, trainLinear } from "./linear.ts";
import { heldImages } from "./mnist-plan.ts";
import { keepOrCheck, type TrainedModel } from "./train-mnist.ts";

const plan = { seed: 1943, rates: [0.01, 0.01, 0.005, 0.002] } as const;

export const linearPath = fileURLToPath(new URL("./mnist-linear-int8.onnx", import.meta.url));

export async function trainLinearModel(log: (line: string) => void): Promise<TrainedModel> {
  const train = await loadMnist("train");
  const kept = train.count - heldImages;
  const linear = trainLinear(sliceDigits(train, 0, kept), plan, (epoch) =>
    log(`epoch ${epoch} of ${plan.rates.length}`),
  );
  const model = quantiseLinear(linear, sliceDigits(train, kept, train.count));
  const test = await loadMnist("test");
  return { onnx: buildLinearOnnx(model), testAccuracy: countLinearRight(model, test) / test.count };
}

/** `pixels` uint8[N,784] -> `label` int64[N], `score` int32[N], as mnist-onnx.ts has them. */
export function buildLinearOnnx({ weights, bias }: IntegerLinear): Uint8Array {
  const graph = {
    name: "mnist-linear-int8",
    node: [
      node("MatMulInteger", ["pixels", "weights"], "products"),
      node("Add", ["products", "bias"], "sums"),
      node("ArgMax", ["sums"], "label", [intAttribute("axis", 1), intAttribute("keepdims", 0)]),
      node("ReduceMax", ["sums"], "score", [intsAttribute("axes", [1]), intAttribute("keepdims", 0)]),
    ],
    initializer: [constant("weights", [pixelsPerImage, classes], weights), constant("bias", [classes], bias)],
    input: [valueInfo("pixels", OnnxType.UINT8, ["N", pixelsPerImage])],
    output: [valueInfo("label", OnnxType.INT64, ["N"]), valueInfo("score", OnnxType.INT32, ["N"])],
  };
  return encodeOnnx(graph, versions);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await keepOrCheck(linearPath, trainLinearModel);
