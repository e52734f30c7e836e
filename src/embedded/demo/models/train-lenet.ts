/**
 * Makes mnist-lenet-int8.onnx, the committed convolutional model, from the MNIST training images: trains, quantises, writes. The same
 * bytes every time and everywhere; `--check` proves it against the committed file.
 *
 *   node src/embedded/demo/models/train-lenet.ts [--check]
 */
import { fileURLToPath } from "node:url";
import { sliceDigits } from "../../../inference/training/perceptron/digits.ts";
import { loadMnist, type MnistSet } from "../data/mnist.ts";
import { averagePixels, side, trainLeNet } from "./lenet.ts";
import { buildLeNetOnnx } from "./lenet-onnx.ts";
import { heldImages } from "./mnist-plan.ts";
import { countRight, type LabelledImages, quantiseLeNet } from "./quantise-lenet.ts";
import { keepOrCheck, type TrainedModel } from "./train-mnist.ts";

const plan = { seed: 1989, rates: [0.02, 0.02, 0.01, 0.01, 0.005, 0.0025] } as const;

export const lenetPath = fileURLToPath(new URL("./mnist-lenet-int8.onnx", import.meta.url));

export async function trainLeNetModel(log: (line: string) => void): Promise<TrainedModel> {
  const train = await loadMnist("train");
  const kept = train.count - heldImages;
  const { images, labels } = averageImages(sliceDigits(train, 0, kept));
  const inputs = images.map((image) => image.map((pixel) => pixel / 255));
  const net = trainLeNet(inputs, labels, plan, (epoch) => log(`epoch ${epoch} of ${plan.rates.length}`));
  const model = quantiseLeNet(net, averageImages(sliceDigits(train, kept, train.count)));
  const test = await loadMnist("test");
  return { onnx: buildLeNetOnnx(model), testAccuracy: countRight(model, averageImages(test)) / test.count };
}

function averageImages({ images, labels, count }: MnistSet): LabelledImages {
  const averaged = averagePixels(images);
  const size = side * side;
  return {
    images: Array.from({ length: count }, (_, i) => Float64Array.from(averaged.subarray(i * size, (i + 1) * size))),
    labels,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await keepOrCheck(lenetPath, trainLeNetModel);
