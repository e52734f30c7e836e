/**
 * Makes mnist-int8.onnx, the committed model of the demo, from the MNIST training images: trains, quantises, writes.
 * The same bytes every time and everywhere; `--check` proves it against the committed file, and CI runs that.
 *
 *   node src/embedded/demo/models/train-mnist.ts [--check]
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { sha256 } from "../../../base/digest.ts";
import { loadMnist, type MnistSet, pixelsPerImage } from "../data/mnist.ts";
import { trainMlp } from "./mlp.ts";
import { buildMnistOnnx } from "./mnist-onnx.ts";
import { countRight, quantise } from "./quantise.ts";

/** Images at the end of the training set that only the choice of scales sees. The test set sees nothing but the result. */
export const heldImages = 5_000;

const plan = { seed: 1998, rates: [0.03, 0.03, 0.02, 0.02, 0.01, 0.01, 0.005, 0.0025] } as const;

export const modelPath = fileURLToPath(new URL("./mnist-int8.onnx", import.meta.url));

export interface TrainedModel {
  readonly onnx: Uint8Array;
  /** Share of the ten thousand test images. */
  readonly testAccuracy: number;
}

export async function trainMnist(log: (line: string) => void): Promise<TrainedModel> {
  const train = await loadMnist("train");
  const kept = train.count - heldImages;
  const mlp = trainMlp(sliceSet(train, 0, kept), plan, (epoch) => log(`epoch ${epoch} of ${plan.rates.length}`));
  const model = quantise(mlp, sliceSet(train, kept, train.count));
  const test = await loadMnist("test");
  return { onnx: buildMnistOnnx(model), testAccuracy: countRight(model, test) / test.count };
}

export function sliceSet(set: MnistSet, first: number, last: number): MnistSet {
  const images = set.images.subarray(first * pixelsPerImage, last * pixelsPerImage);
  return { count: last - first, images, labels: set.labels.subarray(first, last) };
}

/** Trains and writes the model; with `--check` on the command line, compares it with the committed file instead. */
export async function keepOrCheck(
  path: string,
  train: (log: (line: string) => void) => Promise<TrainedModel>,
): Promise<void> {
  const started = performance.now();
  const { onnx, testAccuracy } = await train((line) => console.error(line));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const digest = sha256(onnx);
  console.log(`trained in ${seconds} s, ${(testAccuracy * 100).toFixed(2)} % of the test images right, ${digest}`);
  if (!process.argv.includes("--check")) return writeFile(path, onnx);
  const committed = sha256(await readFile(path));
  if (committed === digest) return console.log("the committed model is reproduced, byte for byte");
  console.error(
    `The committed model is ${committed}; training gives ${digest}. Run without --check and commit the result.`,
  );
  process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await keepOrCheck(modelPath, trainMnist);
