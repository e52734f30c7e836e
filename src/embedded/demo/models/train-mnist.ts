/**
 * Makes mnist-int8.onnx, the committed model of the demo, from the MNIST training images: trains, quantises, writes.
 * The same bytes every time and everywhere; `--check` proves it against the committed file, and CI runs that.
 *
 *   node src/embedded/demo/models/train-mnist.ts [--check]
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { sha256 } from "../../../base/digest.ts";
import { sliceDigits } from "../../../inference/training/perceptron/digits.ts";
import { buildMnistOnnx } from "../../../inference/training/perceptron/mnist-onnx.ts";
import { countRight, quantise } from "../../../inference/training/perceptron/quantise.ts";
import { createStepTrainer } from "../../../inference/training/perceptron/train-steps.ts";
import { loadMnist } from "../data/mnist.ts";
import { heldImages, mnistPlan as plan } from "./mnist-plan.ts";

export const modelPath = fileURLToPath(new URL("./mnist-int8.onnx", import.meta.url));

export interface TrainedModel {
  readonly onnx: Uint8Array;
  /** Share of the ten thousand test images. */
  readonly testAccuracy: number;
}

export async function trainMnist(log: (line: string) => void): Promise<TrainedModel> {
  const train = await loadMnist("train");
  const kept = train.count - heldImages;
  const trainer = createStepTrainer(sliceDigits(train, 0, kept), plan);
  const mlp = trainer.initial();
  const stepsPerEpoch = kept / plan.imagesPerStep;
  plan.rates.forEach((_, epoch) => {
    trainer.run(mlp, epoch * stepsPerEpoch, (epoch + 1) * stepsPerEpoch);
    log(`epoch ${epoch + 1} of ${plan.rates.length}`);
  });
  const model = await quantise(mlp, sliceDigits(train, kept, train.count));
  const test = await loadMnist("test");
  return { onnx: buildMnistOnnx(model), testAccuracy: countRight(model, test) / test.count };
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
