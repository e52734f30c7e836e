/**
 * Turns the trained float network into one of integers alone, whose result is the same on every processor: weights of 7
 * bits (within +-63, so that the pairwise 16-bit sums of older x86 kernels cannot saturate), biases of 32, hidden
 * activations of 8. Pure.
 *
 *   sum1 = pixels(u8) x W1(s8) + b1        hidden(u8) = clip(sum1, 0, 255 * 2^k + 2^k - 1) / 2^k
 *   logits = hidden(u8) x W2(s8) + b2      label = the first largest logit      score = that logit
 */
import { type DigitSet, pixelsPerImage } from "./digits.ts";
import { classes, hiddenUnits, type Mlp } from "./mlp.ts";

export const maxWeight = 63;

export interface IntegerMlp {
  readonly hiddenWeights: Int8Array;
  readonly hiddenBias: Int32Array;
  /** k: the hidden sums are divided by 2^k. */
  readonly shift: number;
  readonly outputWeights: Int8Array;
  readonly outputBias: Int32Array;
}

interface Choice {
  /** Share of the largest weight that becomes 63; larger weights are clipped. */
  readonly hiddenClip: number;
  readonly outputClip: number;
  readonly shift: number;
}

const clips = [1, 0.8, 0.65, 0.5];
const shifts = [9, 10, 11, 12];

/** The scales that do best on `held`, images that were not trained on. @param pause called between two tries */
export async function quantise(mlp: Mlp, held: DigitSet, pause?: () => Promise<void>): Promise<IntegerMlp> {
  let best: { model: IntegerMlp; correct: number } | undefined;
  for (const choice of listChoices()) {
    const model = quantiseWith(mlp, choice);
    const correct = countRight(model, held);
    if (best === undefined || correct > best.correct) best = { model, correct };
    await pause?.();
  }
  return best?.model ?? quantiseWith(mlp, { hiddenClip: 1, outputClip: 1, shift: 11 });
}

function listChoices(): Choice[] {
  return clips.flatMap((hiddenClip) =>
    clips.flatMap((outputClip) => shifts.map((shift) => ({ hiddenClip, outputClip, shift }))),
  );
}

function quantiseWith(mlp: Mlp, choice: Choice): IntegerMlp {
  const hiddenScale = maxWeight / (choice.hiddenClip * largestOf(mlp.hiddenWeights));
  const outputScale = maxWeight / (choice.outputClip * largestOf(mlp.outputWeights));
  // One unit of a hidden sum is 1 / (255 * hiddenScale): pixels come as 0 to 255 and not as 0 to 1.
  const sumScale = 255 * hiddenScale;
  return {
    hiddenWeights: quantiseWeights(mlp.hiddenWeights, hiddenScale),
    hiddenBias: Int32Array.from(mlp.hiddenBias, (bias) => Math.round(bias * sumScale)),
    shift: choice.shift,
    outputWeights: quantiseWeights(mlp.outputWeights, outputScale),
    outputBias: Int32Array.from(mlp.outputBias, (bias) =>
      Math.round((bias * sumScale * outputScale) / 2 ** choice.shift),
    ),
  };
}

function largestOf(values: Float64Array): number {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}

function quantiseWeights(weights: Float64Array, scale: number): Int8Array {
  const quantised = new Int8Array(weights.length);
  for (let i = 0; i < weights.length; i++) {
    quantised[i] = Math.min(maxWeight, Math.max(-maxWeight, Math.round((weights[i] as number) * scale)));
  }
  return quantised;
}

export function countRight(model: IntegerMlp, set: DigitSet): number {
  let correct = 0;
  for (let i = 0; i < set.count; i++) {
    const pixels = set.images.subarray(i * pixelsPerImage, (i + 1) * pixelsPerImage);
    if (firstLargest(computeLogits(model, pixels)) === set.labels[i]) correct += 1;
  }
  return correct;
}

/** The network in plain integers: what the ONNX graph must compute, bit for bit. */
export function computeLogits(model: IntegerMlp, pixels: Uint8Array): Int32Array {
  const hidden = new Int32Array(model.hiddenBias);
  for (let p = 0; p < pixelsPerImage; p++) {
    const ink = pixels[p] as number;
    if (ink === 0) continue;
    const row = p * hiddenUnits;
    for (let h = 0; h < hiddenUnits; h++) (hidden[h] as number) += ink * (model.hiddenWeights[row + h] as number);
  }
  const logits = new Int32Array(model.outputBias);
  for (let h = 0; h < hiddenUnits; h++) {
    const active = Math.min(255, Math.max(0, hidden[h] as number) >> model.shift);
    for (let c = 0; c < classes; c++)
      (logits[c] as number) += active * (model.outputWeights[h * classes + c] as number);
  }
  return logits;
}

export function firstLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
