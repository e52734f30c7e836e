/**
 * A perceptron with one hidden layer (784-64-10, ReLU, softmax) and how it learns from one image, by stochastic gradient
 * descent. Pure and reproducible: float64 additions and multiplications in a fixed order. Four of five pixels are blank and cost nothing.
 */
import { exactExp } from "../exact-math.ts";
import { pixelsPerImage } from "./digits.ts";

export const hiddenUnits = 64;
export const classes = 10;

export interface Mlp {
  /** Row-major [784][64]. */
  readonly hiddenWeights: Float64Array;
  readonly hiddenBias: Float64Array;
  /** Row-major [64][10]. */
  readonly outputWeights: Float64Array;
  readonly outputBias: Float64Array;
}

export interface TrainingPlan {
  readonly seed: number;
  /** Learning rate of each epoch. */
  readonly rates: readonly number[];
}

export interface Scratch {
  readonly hidden: Float64Array;
  readonly output: Float64Array;
  readonly hiddenError: Float64Array;
  /** Indices of the pixels that are not blank, and how many. */
  readonly inked: Uint16Array;
  inkedCount: number;
}

/** Draws that `createMlp` takes from its randomness. */
export const drawsOfMlp = pixelsPerImage * hiddenUnits + hiddenUnits * classes;

export function createMlp(random: () => number): Mlp {
  // He's scale, sqrt(6 / inputs), written out: the square root is not exactly specified.
  const spread = (length: number, bound: number) => Float64Array.from({ length }, () => (random() * 2 - 1) * bound);
  return {
    hiddenWeights: spread(pixelsPerImage * hiddenUnits, 0.0875),
    hiddenBias: new Float64Array(hiddenUnits),
    outputWeights: spread(hiddenUnits * classes, 0.306),
    outputBias: new Float64Array(classes),
  };
}

export function createScratch(): Scratch {
  return {
    hidden: new Float64Array(hiddenUnits),
    output: new Float64Array(classes),
    hiddenError: new Float64Array(hiddenUnits),
    inked: new Uint16Array(pixelsPerImage),
    inkedCount: 0,
  };
}

export function learn(
  mlp: Mlp,
  scratch: Scratch,
  pixels: Uint8Array,
  { label, rate }: { label: number; rate: number },
): void {
  forward(mlp, scratch, pixels);
  softmax(scratch.output);
  scratch.output[label] = (scratch.output[label] ?? 0) - 1;
  propagateBack(mlp, scratch);
  updateOutput(mlp, scratch, rate);
  updateHidden(mlp, scratch, pixels, rate);
}

function forward(mlp: Mlp, scratch: Scratch, pixels: Uint8Array): void {
  const { hidden, output, inked } = scratch;
  const { hiddenWeights, outputWeights } = mlp;
  hidden.set(mlp.hiddenBias);
  scratch.inkedCount = 0;
  for (let p = 0; p < pixelsPerImage; p++) {
    const ink = (pixels[p] as number) / 255;
    if (ink === 0) continue;
    inked[scratch.inkedCount++] = p;
    const row = p * hiddenUnits;
    for (let h = 0; h < hiddenUnits; h++) (hidden[h] as number) += ink * (hiddenWeights[row + h] as number);
  }
  output.set(mlp.outputBias);
  for (let h = 0; h < hiddenUnits; h++) {
    if ((hidden[h] as number) <= 0) hidden[h] = 0;
    for (let c = 0; c < classes; c++) {
      (output[c] as number) += (hidden[h] as number) * (outputWeights[h * classes + c] as number);
    }
  }
}

export function softmax(values: Float64Array): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > largest) largest = value;
  let sum = 0;
  for (let c = 0; c < values.length; c++) {
    values[c] = exactExp((values[c] as number) - largest);
    sum += values[c] as number;
  }
  for (let c = 0; c < values.length; c++) (values[c] as number) /= sum;
}

function propagateBack(mlp: Mlp, { hidden, output, hiddenError }: Scratch): void {
  for (let h = 0; h < hiddenUnits; h++) {
    let error = 0;
    if ((hidden[h] as number) > 0) {
      for (let c = 0; c < classes; c++) error += (output[c] as number) * (mlp.outputWeights[h * classes + c] as number);
    }
    hiddenError[h] = error;
  }
}

function updateOutput(mlp: Mlp, { hidden, output }: Scratch, rate: number): void {
  for (let c = 0; c < classes; c++) (mlp.outputBias[c] as number) -= rate * (output[c] as number);
  for (let h = 0; h < hiddenUnits; h++) {
    const step = rate * (hidden[h] as number);
    if (step === 0) continue;
    for (let c = 0; c < classes; c++) (mlp.outputWeights[h * classes + c] as number) -= step * (output[c] as number);
  }
}

function updateHidden(mlp: Mlp, scratch: Scratch, pixels: Uint8Array, rate: number): void {
  const { hiddenError, inked } = scratch;
  const { hiddenWeights, hiddenBias } = mlp;
  for (let h = 0; h < hiddenUnits; h++) (hiddenBias[h] as number) -= rate * (hiddenError[h] as number);
  for (let i = 0; i < scratch.inkedCount; i++) {
    const p = inked[i] as number;
    const step = rate * ((pixels[p] as number) / 255);
    const row = p * hiddenUnits;
    for (let h = 0; h < hiddenUnits; h++) (hiddenWeights[row + h] as number) -= step * (hiddenError[h] as number);
  }
}
