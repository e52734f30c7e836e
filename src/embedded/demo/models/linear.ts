/**
 * The smallest classifier there is: ten weighted sums of the pixels, trained by stochastic gradient descent (softmax regression) and
 * turned into integers within +-63, as the other models are. Pure and reproducible.
 */

import { createRandom, shuffle } from "../../../inference/training/exact-math.ts";
import { classes, softmax, type TrainingPlan } from "../../../inference/training/perceptron/mlp.ts";
import { firstLargest, maxWeight } from "../../../inference/training/perceptron/quantise.ts";
import { type MnistSet, pixelsPerImage } from "../data/mnist.ts";

export interface Linear {
  /** Row-major [784][10]. */
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

export interface IntegerLinear {
  readonly weights: Int8Array;
  readonly bias: Int32Array;
}

export function trainLinear(set: MnistSet, plan: TrainingPlan, onEpoch: (epoch: number) => void): Linear {
  const random = createRandom(plan.seed);
  const linear = { weights: new Float64Array(pixelsPerImage * classes), bias: new Float64Array(classes) };
  const order = Uint32Array.from({ length: set.count }, (_, i) => i);
  const output = new Float64Array(classes);
  plan.rates.forEach((rate, epoch) => {
    shuffle(order, random);
    for (const image of order) {
      const pixels = set.images.subarray(image * pixelsPerImage, (image + 1) * pixelsPerImage);
      sumUp(linear, pixels, output);
      softmax(output);
      output[set.labels[image] ?? 0] = (output[set.labels[image] ?? 0] ?? 0) - 1;
      learn(linear, pixels, { error: output, rate });
    }
    onEpoch(epoch + 1);
  });
  return linear;
}

function sumUp({ weights, bias }: Linear, pixels: Uint8Array, output: Float64Array): void {
  output.set(bias);
  for (let p = 0; p < pixelsPerImage; p++) {
    const ink = (pixels[p] as number) / 255;
    if (ink === 0) continue;
    for (let c = 0; c < classes; c++) (output[c] as number) += ink * (weights[p * classes + c] as number);
  }
}

function learn({ weights, bias }: Linear, pixels: Uint8Array, { error, rate }: { error: Float64Array; rate: number }) {
  for (let c = 0; c < classes; c++) (bias[c] as number) -= rate * (error[c] as number);
  for (let p = 0; p < pixelsPerImage; p++) {
    const step = (rate * (pixels[p] as number)) / 255;
    if (step === 0) continue;
    for (let c = 0; c < classes; c++) (weights[p * classes + c] as number) -= step * (error[c] as number);
  }
}

const clips = [1, 0.8, 0.65, 0.5, 0.35];

/** The scale that does best on `held`, images that were not trained on. */
export function quantiseLinear(linear: Linear, held: MnistSet): IntegerLinear {
  const models = clips.map((clip) => quantiseWith(linear, clip));
  const scored = models.map((model) => ({ model, right: countLinearRight(model, held) }));
  return scored.reduce((best, other) => (other.right > best.right ? other : best)).model;
}

function quantiseWith({ weights, bias }: Linear, clip: number): IntegerLinear {
  const largest = weights.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = maxWeight / (clip * largest);
  return {
    weights: Int8Array.from(weights, (weight) => Math.min(maxWeight, Math.max(-maxWeight, Math.round(weight * scale)))),
    // Pixels come as 0 to 255 and not as 0 to 1.
    bias: Int32Array.from(bias, (value) => Math.round(value * 255 * scale)),
  };
}

export function countLinearRight(model: IntegerLinear, set: MnistSet): number {
  let right = 0;
  for (let i = 0; i < set.count; i++) {
    const pixels = set.images.subarray(i * pixelsPerImage, (i + 1) * pixelsPerImage);
    if (firstLargest(computeSums(model, pixels)) === set.labels[i]) right += 1;
  }
  return right;
}

/** What the ONNX graph must compute, bit for bit. */
export function computeSums({ weights, bias }: IntegerLinear, pixels: Uint8Array): Int32Array {
  const sums = new Int32Array(bias);
  for (let p = 0; p < pixelsPerImage; p++) {
    const ink = pixels[p] as number;
    if (ink === 0) continue;
    for (let c = 0; c < classes; c++) (sums[c] as number) += ink * (weights[p * classes + c] as number);
  }
  return sums;
}
