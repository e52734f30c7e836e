/**
 * The program `mnist-perceptron`: trains a classifier of digits and makes an ONNX file of integers alone of it. Data: `pixels`
 * uint8[N,784], `labels` uint8[N]. Hyperparameters: `learningRates` (one for each epoch, the last one holds on), `imagesPerStep`,
 * `heldImages` (at the end of the data; they choose the scales of the integers and are not learned from).
 */
import { InferiumError } from "../../../base/errors.ts";
import { createTensor, type NamedTensors } from "../../../protocol/tensors/tensor.ts";
import type { TrainingProgram } from "../program.ts";
import { type DigitSet, pixelsPerImage, sliceDigits } from "./digits.ts";
import { classes, hiddenUnits, type Mlp } from "./mlp.ts";
import { buildMnistOnnx } from "./mnist-onnx.ts";
import { quantise } from "./quantise.ts";
import { createStepTrainer, type StepPlan } from "./train-steps.ts";

export const perceptronProgram: TrainingProgram = {
  name: "mnist-perceptron",
  open(data, { hyperparameters, seed }) {
    const set = readDigits(data);
    const { heldImages, ...plan } = readPlan(hyperparameters, seed, set.count);
    const kept = set.count - heldImages;
    const trainer = createStepTrainer(sliceDigits(set, 0, kept), plan);
    const held = sliceDigits(set, kept, set.count);
    return {
      initial: () => writeWeights(trainer.initial()),
      async run(weights, { from, to }, pause) {
        const mlp = readWeights(weights);
        for (let step = from; step < to; step++) {
          trainer.run(mlp, step, step + 1);
          await pause();
        }
        return writeWeights(mlp);
      },
      finish: async (weights, pause) => buildMnistOnnx(await quantise(readWeights(weights), held, pause)),
    };
  },
};

function readDigits(data: NamedTensors): DigitSet {
  const [pixels, labels] = [data.get("pixels"), data.get("labels")];
  const count = labels?.shape[0] ?? 0;
  if (pixels?.dtype !== "uint8" || pixels.shape.join() !== `${count},${pixelsPerImage}`)
    throw invalid(`The data has no pixels uint8[${count},${pixelsPerImage}], for as many images as there are labels.`);
  if (labels?.dtype !== "uint8" || labels.shape.length !== 1 || labels.data.some((label) => label >= classes))
    throw invalid("The data has no labels uint8[N] from 0 to 9.");
  return { count, images: pixels.data, labels: labels.data };
}

const known = ["learningRates", "imagesPerStep", "heldImages"];

function readPlan(
  parameters: Readonly<Record<string, string>>,
  seed: number,
  count: number,
): StepPlan & { readonly heldImages: number } {
  const unknown = Object.keys(parameters).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(`There is no hyperparameter ${unknown}; there are ${known.join(", ")}.`);
  const rates = (parameters.learningRates ?? "0.03").split(",").map(Number);
  if (rates.some((rate) => !(rate > 0 && rate < 1)))
    throw invalid(
      `learningRates is "${parameters.learningRates}"; expected numbers between 0 and 1, such as 0.03,0.01.`,
    );
  const imagesPerStep = readWhole(parameters, "imagesPerStep", 100, { min: 1, max: 65_536 });
  const heldImages = readWhole(parameters, "heldImages", Math.floor(count / 10), { min: 0, max: count - 1 });
  return { seed, rates, imagesPerStep, heldImages };
}

function readWhole(
  parameters: Readonly<Record<string, string>>,
  name: string,
  fallback: number,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const text = parameters[name];
  const value = text === undefined ? fallback : Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(`${name} is "${text ?? value}"; expected a whole number from ${min} to ${max}.`);
}

const shapes = {
  hiddenWeights: [pixelsPerImage, hiddenUnits],
  hiddenBias: [hiddenUnits],
  outputWeights: [hiddenUnits, classes],
  outputBias: [classes],
} as const satisfies Record<keyof Mlp, readonly number[]>;

const names = Object.keys(shapes) as (keyof Mlp)[];

/** Copies: training changes them in place, and a checkpoint must not change. */
function readWeights(weights: NamedTensors): Mlp {
  if (weights.size !== names.length)
    throw invalid(`The weights have ${weights.size} tensors; expected ${names.length}.`);
  const read = names.map((name) => {
    const tensor = weights.get(name);
    if (tensor?.dtype !== "float64" || tensor.shape.join() !== shapes[name].join())
      throw invalid(`The weights have no ${name} float64[${shapes[name].join(",")}].`);
    return [name, new Float64Array(new Uint8Array(tensor.data).buffer)];
  });
  return Object.fromEntries(read) as Mlp;
}

function writeWeights(mlp: Mlp): NamedTensors {
  return new Map(
    names.map((name) => [name, createTensor("float64", shapes[name], new Uint8Array(mlp[name].slice().buffer))]),
  );
}

function invalid(message: string): InferiumError {
  return new InferiumError("InvalidTraining", message);
}
