/**
 * A small convolutional network after LeNet, and its training by stochastic gradient descent, one image at a time in an order fixed
 * by a seed. Reproducible as mlp.ts is: float64 additions and multiplications in a fixed order. Pure.
 *
 *   28x28 pixels, averaged 2x2 -> 14x14 -> 6 filters 5x5 -> 10x10 -> largest of 2x2 -> 5x5 -> 12 filters 3x3 -> 3x3 -> 10 classes
 */

import { createRandom, shuffle } from "../../../inference/training/exact-math.ts";
import { classes, softmax, type TrainingPlan } from "../../../inference/training/perceptron/mlp.ts";
import { pixelsPerImage } from "../data/mnist.ts";

export const side = 14;
export const first = { filters: 6, size: 5, sums: 10, pooled: 5 } as const;
export const second = { filters: 12, size: 3, sums: 3 } as const;
export const firstTaps = first.size ** 2;
export const secondTaps = first.filters * second.size ** 2;
export const features = second.filters * second.sums ** 2;

export interface LeNet {
  /** Row-major [filters][5][5]. */
  readonly firstWeights: Float64Array;
  readonly firstBias: Float64Array;
  /** Row-major [filters][first filters][3][3]. */
  readonly secondWeights: Float64Array;
  readonly secondBias: Float64Array;
  /** Row-major [features][10]. */
  readonly outputWeights: Float64Array;
  readonly outputBias: Float64Array;
}

/** What the layers gave for one image. */
export interface LeNetState {
  /** Largest sums under each window, and where in `input` the window of the largest sum begins. */
  readonly pooled: Float64Array;
  readonly winner: Uint16Array;
  readonly features: Float64Array;
  readonly logits: Float64Array;
}

/** What becomes of a sum: ReLU while training, the step to bytes in the integer network. */
export interface Activations {
  readonly first: (sum: number) => number;
  readonly second: (sum: number) => number;
}

const relu = (sum: number) => Math.max(0, sum);

export function createState(): LeNetState {
  const pooled = first.filters * first.pooled ** 2;
  return {
    pooled: new Float64Array(pooled),
    winner: new Uint16Array(pooled),
    features: new Float64Array(features),
    logits: new Float64Array(classes),
  };
}

/** Pixels averaged 2x2, rounded down. @param images 784 bytes each @returns 196 bytes each */
export function averagePixels(images: Uint8Array): Uint8Array {
  const averaged = new Uint8Array((images.length / pixelsPerImage) * side * side);
  for (let i = 0; i < averaged.length; i++) {
    const [image, y, x] = [Math.floor(i / (side * side)), Math.floor(i / side) % side, i % side];
    const corner = image * pixelsPerImage + 2 * y * (2 * side) + 2 * x;
    let sum = 0;
    for (const offset of [0, 1, 2 * side, 2 * side + 1]) sum += images[corner + offset] as number;
    averaged[i] = sum >> 2;
  }
  return averaged;
}

export function trainLeNet(
  images: readonly Float64Array[],
  labels: Uint8Array,
  plan: TrainingPlan,
  onEpoch: (epoch: number) => void,
): LeNet {
  const random = createRandom(plan.seed);
  const net = createLeNet(random);
  const [state, errors] = [createState(), createState()];
  const order = Uint32Array.from({ length: images.length }, (_, i) => i);
  plan.rates.forEach((rate, epoch) => {
    shuffle(order, random);
    for (const image of order) {
      const input = images[image] as Float64Array;
      forward(net, state, input, { first: relu, second: relu });
      softmax(state.logits);
      const label = labels[image] as number;
      state.logits[label] = (state.logits[label] as number) - 1;
      learn(net, { state, errors }, input, rate);
    }
    onEpoch(epoch + 1);
  });
  return net;
}

function createLeNet(random: () => number): LeNet {
  // He's scale, sqrt(6 / inputs), written out: the square root is not exactly specified.
  const spread = (length: number, bound: number) => Float64Array.from({ length }, () => (random() * 2 - 1) * bound);
  return {
    firstWeights: spread(first.filters * firstTaps, 0.49),
    firstBias: new Float64Array(first.filters),
    secondWeights: spread(second.filters * secondTaps, 0.333),
    secondBias: new Float64Array(second.filters),
    outputWeights: spread(features * classes, 0.236),
    outputBias: new Float64Array(classes),
  };
}

/** Of floats while training, of integers held exactly in floats after it. */
export function forward(net: LeNet, state: LeNetState, input: Float64Array, activations: Activations): void {
  poolFirst(net, state, input, activations.first);
  sumSecond(net, state, activations.second);
  const { features: values, logits } = state;
  logits.set(net.outputBias);
  for (let f = 0; f < features; f++) {
    const value = values[f] as number;
    if (value === 0) continue;
    for (let c = 0; c < classes; c++) (logits[c] as number) += value * (net.outputWeights[f * classes + c] as number);
  }
}

function poolFirst(net: LeNet, { pooled, winner }: LeNetState, input: Float64Array, activate: Activations["first"]) {
  let at = 0;
  for (let filter = 0; filter < first.filters; filter++) {
    for (let y = 0; y < first.sums; y += 2) {
      for (let x = 0; x < first.sums; x += 2, at++) {
        let largest = Number.NEGATIVE_INFINITY;
        for (let corner = 0; corner < 4; corner++) {
          const start = (y + (corner >> 1)) * side + x + (corner & 1);
          const sum = sumFirst(net, filter, input, start);
          if (sum <= largest) continue;
          largest = sum;
          winner[at] = start;
        }
        pooled[at] = activate(largest);
      }
    }
  }
}

function sumFirst({ firstWeights, firstBias }: LeNet, filter: number, input: Float64Array, start: number): number {
  let sum = firstBias[filter] as number;
  let weight = filter * firstTaps;
  for (let dy = 0; dy < first.size; dy++) {
    const row = start + dy * side;
    for (let dx = 0; dx < first.size; dx++) sum += (input[row + dx] as number) * (firstWeights[weight++] as number);
  }
  return sum;
}

function sumSecond(net: LeNet, { pooled, features: values }: LeNetState, activate: Activations["second"]): void {
  let at = 0;
  for (let filter = 0; filter < second.filters; filter++) {
    for (let y = 0; y < second.sums; y++) {
      for (let x = 0; x < second.sums; x++, at++) {
        let sum = net.secondBias[filter] as number;
        let weight = filter * secondTaps;
        for (let channel = 0; channel < first.filters; channel++) {
          for (let dy = 0; dy < second.size; dy++) {
            const row = (channel * first.pooled + y + dy) * first.pooled + x;
            for (let dx = 0; dx < second.size; dx++)
              sum += (pooled[row + dx] as number) * (net.secondWeights[weight++] as number);
          }
        }
        values[at] = activate(sum);
      }
    }
  }
}

/** One step down the gradient. `state.logits` holds the error of the softmax. */
function learn(
  net: LeNet,
  { state, errors }: { readonly state: LeNetState; readonly errors: LeNetState },
  input: Float64Array,
  rate: number,
): void {
  learnOutput(net, state, errors, rate);
  learnSecond(net, state, errors, rate);
  learnFirst(net, { state, errors }, input, rate);
}

function learnOutput(net: LeNet, { features: values, logits }: LeNetState, errors: LeNetState, rate: number): void {
  for (let c = 0; c < classes; c++) (net.outputBias[c] as number) -= rate * (logits[c] as number);
  for (let f = 0; f < features; f++) {
    const value = values[f] as number;
    errors.features[f] = 0;
    if (value === 0) continue;
    let error = 0;
    for (let c = 0; c < classes; c++) {
      const weight = f * classes + c;
      error += (logits[c] as number) * (net.outputWeights[weight] as number);
      (net.outputWeights[weight] as number) -= rate * value * (logits[c] as number);
    }
    errors.features[f] = error;
  }
}

function learnSecond(net: LeNet, { pooled }: LeNetState, errors: LeNetState, rate: number): void {
  errors.pooled.fill(0);
  for (let f = 0; f < features; f++) {
    const error = errors.features[f] as number;
    if (error === 0) continue;
    const filter = Math.floor(f / second.sums ** 2);
    const [y, x] = [Math.floor(f / second.sums) % second.sums, f % second.sums];
    (net.secondBias[filter] as number) -= rate * error;
    let weight = filter * secondTaps;
    for (let channel = 0; channel < first.filters; channel++) {
      for (let dy = 0; dy < second.size; dy++) {
        const row = (channel * first.pooled + y + dy) * first.pooled + x;
        for (let dx = 0; dx < second.size; dx++, weight++) {
          (errors.pooled[row + dx] as number) += error * (net.secondWeights[weight] as number);
          (net.secondWeights[weight] as number) -= rate * error * (pooled[row + dx] as number);
        }
      }
    }
  }
}

function learnFirst(
  net: LeNet,
  { state, errors }: { readonly state: LeNetState; readonly errors: LeNetState },
  input: Float64Array,
  rate: number,
): void {
  const perFilter = first.pooled ** 2;
  for (let at = 0; at < state.pooled.length; at++) {
    if ((state.pooled[at] as number) <= 0) continue;
    const step = rate * (errors.pooled[at] as number);
    const filter = Math.floor(at / perFilter);
    (net.firstBias[filter] as number) -= step;
    let weight = filter * firstTaps;
    for (let dy = 0; dy < first.size; dy++) {
      const row = (state.winner[at] as number) + dy * side;
      for (let dx = 0; dx < first.size; dx++)
        (net.firstWeights[weight++] as number) -= step * (input[row + dx] as number);
    }
  }
}
