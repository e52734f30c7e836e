/**
 * Turns the trained convolutional network into one of integers alone, as quantise.ts does with the perceptron: weights within +-63,
 * sums divided by powers of two. Scales are chosen layer by layer, those that do best on images that were not trained on. Pure.
 */

import { classes } from "../../../inference/training/perceptron/mlp.ts";
import { firstLargest, maxWeight } from "../../../inference/training/perceptron/quantise.ts";
import { createState, forward, type LeNet, type LeNetState } from "./lenet.ts";

/** Weights and biases are integers, held in floats. */
export interface IntegerLeNet extends LeNet {
  readonly firstShift: number;
  readonly secondShift: number;
}

export interface LabelledImages {
  readonly images: readonly Float64Array[];
  readonly labels: Uint8Array;
}

interface Choice {
  /** Share of the largest weight that becomes 63; larger weights are clipped. */
  readonly firstClip: number;
  readonly secondClip: number;
  readonly outputClip: number;
  readonly firstShift: number;
  readonly secondShift: number;
}

const clips = [1, 0.8, 0.65, 0.5];
const shifts = [6, 7, 8, 9, 10, 11];
const start: Choice = { firstClip: 1, secondClip: 1, outputClip: 1, firstShift: 9, secondShift: 9 };

/** @param held images of bytes */
export function quantiseLeNet(net: LeNet, held: LabelledImages): IntegerLeNet {
  const better = (choices: readonly Choice[]) => {
    const scored = choices.map((choice) => ({ choice, right: countRight(quantiseWith(net, choice), held) }));
    return scored.reduce((best, other) => (other.right > best.right ? other : best)).choice;
  };
  let choice = better(
    shifts.flatMap((firstShift) => shifts.map((secondShift) => ({ ...start, firstShift, secondShift }))),
  );
  choice = better(clips.map((firstClip) => ({ ...choice, firstClip })));
  choice = better(clips.map((secondClip) => ({ ...choice, secondClip })));
  choice = better(clips.map((outputClip) => ({ ...choice, outputClip })));
  return quantiseWith(net, choice);
}

function quantiseWith(net: LeNet, choice: Choice): IntegerLeNet {
  const firstScale = scaleOf(net.firstWeights, choice.firstClip);
  const secondScale = scaleOf(net.secondWeights, choice.secondClip);
  const outputScale = scaleOf(net.outputWeights, choice.outputClip);
  // What one of the float network is in sums: pixels come as 0 to 255 and not as 0 to 1; each shift divides.
  const firstSum = 255 * firstScale;
  const secondSum = (firstSum / 2 ** choice.firstShift) * secondScale;
  const outputSum = (secondSum / 2 ** choice.secondShift) * outputScale;
  const round = (values: Float64Array, scale: number) => values.map((value) => Math.round(value * scale));
  return {
    firstWeights: quantiseWeights(net.firstWeights, firstScale),
    firstBias: round(net.firstBias, firstSum),
    firstShift: choice.firstShift,
    secondWeights: quantiseWeights(net.secondWeights, secondScale),
    secondBias: round(net.secondBias, secondSum),
    secondShift: choice.secondShift,
    outputWeights: quantiseWeights(net.outputWeights, outputScale),
    outputBias: round(net.outputBias, outputSum),
  };
}

function scaleOf(weights: Float64Array, clip: number): number {
  return maxWeight / (clip * weights.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0));
}

function quantiseWeights(weights: Float64Array, scale: number): Float64Array {
  return weights.map((weight) => Math.min(maxWeight, Math.max(-maxWeight, Math.round(weight * scale))));
}

export function countRight(net: IntegerLeNet, { images, labels }: LabelledImages): number {
  const state = createState();
  return images.filter((image, index) => classify(net, state, image) === labels[index]).length;
}

function classify(net: IntegerLeNet, state: LeNetState, image: Float64Array): number {
  const toByte = (shift: number) => (sum: number) => (sum > 0 ? Math.min(255, sum >> shift) : 0);
  forward(net, state, image, { first: toByte(net.firstShift), second: toByte(net.secondShift) });
  return firstLargest(state.logits.subarray(0, classes));
}
