/**
 * The perceptron's training cut into steps of some images each. Step 0 begins with the first image of the first epoch; images
 * wrap around from epoch to epoch. Steps n to m give the same weights whoever computes them, from the weights after step n.
 */
import { createRandom } from "../exact-math.ts";
import { type DigitSet, pixelsPerImage } from "./digits.ts";
import { createImageOrder } from "./image-order.ts";
import { createMlp, createScratch, drawsOfMlp, learn, type Mlp } from "./mlp.ts";

export interface StepPlan {
  readonly seed: number;
  /** Learning rate of each epoch; the last one holds on. */
  readonly rates: readonly number[];
  readonly imagesPerStep: number;
}

export interface StepTrainer {
  /** The weights before step 0. */
  initial(): Mlp;
  /** Changes the weights. @param from first step, up to but without `to` */
  run(mlp: Mlp, from: number, to: number): void;
}

export function createStepTrainer(set: DigitSet, { seed, rates, imagesPerStep }: StepPlan): StepTrainer {
  const orderOf = createImageOrder(set.count, seed, drawsOfMlp);
  const scratch = createScratch();
  return {
    initial: () => createMlp(createRandom(seed)),
    run(mlp, from, to) {
      for (let at = from * imagesPerStep; at < to * imagesPerStep; at++) {
        const epoch = Math.floor(at / set.count);
        const image = orderOf(epoch)[at % set.count] as number;
        const pixels = set.images.subarray(image * pixelsPerImage, (image + 1) * pixelsPerImage);
        const rate = rates[Math.min(epoch, rates.length - 1)] as number;
        learn(mlp, scratch, pixels, { label: set.labels[image] as number, rate });
      }
    },
  };
}
