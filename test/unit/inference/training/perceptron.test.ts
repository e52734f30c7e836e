import { describe, expect, it } from "vitest";
import { sha256 } from "../../../../src/base/digest.ts";
import { createRandom, exactExp, shuffle } from "../../../../src/inference/training/exact-math.ts";
import { pixelsPerImage } from "../../../../src/inference/training/perceptron/digits.ts";
import { buildMnistOnnx } from "../../../../src/inference/training/perceptron/mnist-onnx.ts";
import {
  computeLogits,
  countRight,
  firstLargest,
  maxWeight,
  quantise,
} from "../../../../src/inference/training/perceptron/quantise.ts";
import { createStepTrainer } from "../../../../src/inference/training/perceptron/train-steps.ts";

/** Ten kinds of image, each with its own stripe, and some noise. */
function anImageSet(count: number, seed: number) {
  const random = createRandom(seed);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const images = new Uint8Array(count * pixelsPerImage);
  for (let i = 0; i < count; i++) {
    for (let p = 0; p < 40; p++) images[i * pixelsPerImage + labels[i]! * 70 + p] = 100 + Math.floor(random() * 155);
    for (let p = 0; p < 60; p++)
      images[i * pixelsPerImage + Math.floor(random() * pixelsPerImage)] = Math.floor(random() * 256);
  }
  return { count, images, labels };
}

/** Two epochs. */
const plan = { seed: 1, rates: [0.05, 0.05], imagesPerStep: 10 };
/** Enough to learn from; what holds bit by bit shows with a few. */
const [many, few] = [300, 60];
const stepsOf = (images: number) => (plan.rates.length * images) / plan.imagesPerStep;

function train(images: number, seed = plan.seed) {
  const trainer = createStepTrainer(anImageSet(images, 1), { ...plan, seed });
  const mlp = trainer.initial();
  trainer.run(mlp, 0, stepsOf(images));
  return quantise(mlp, anImageSet(images / 6, 2));
}

const model = await train(many);

describe("training", () => {
  it("learns, and loses little by being made of integers", () => {
    expect(countRight(model, anImageSet(200, 3)) / 200).toBeGreaterThan(0.95);
  });

  it("gives the same bytes twice, and others from another seed", async () => {
    const digest = sha256(buildMnistOnnx(await train(few)));
    expect(sha256(buildMnistOnnx(await train(few)))).toBe(digest);
    expect(sha256(buildMnistOnnx(await train(few, 2)))).not.toBe(digest);
  });

  it("arrives at the same weights in one go and in parts, whoever takes it up in the middle", () => {
    const whole = createStepTrainer(anImageSet(few, 1), plan);
    const mlp = whole.initial();
    whole.run(mlp, 0, stepsOf(few));
    const parts = whole.initial();
    // The second part reaches from one epoch into the next.
    for (const from of [0, 4, 8]) createStepTrainer(anImageSet(few, 1), plan).run(parts, from, from + 4);
    expect(parts).toEqual(mlp);
    const again = whole.initial();
    whole.run(again, 0, stepsOf(few));
    expect(again).toEqual(mlp);
  });

  it("keeps every weight within the bound that old kernels need", () => {
    // One assertion: fifty thousand took longer than the training.
    const largest = [...model.hiddenWeights, ...model.outputWeights].reduce(
      (most, w) => Math.max(most, Math.abs(w)),
      0,
    );
    expect(largest).toBeLessThanOrEqual(maxWeight);
  });
});

describe("the integer network", () => {
  it("clips, divides and adds as its formula says", () => {
    const model = {
      hiddenWeights: new Int8Array(pixelsPerImage * 64).fill(0),
      hiddenBias: new Int32Array(64),
      shift: 2,
      outputWeights: new Int8Array(64 * 10),
      outputBias: Int32Array.from({ length: 10 }, (_, c) => -c),
    };
    model.hiddenWeights.set([3, -1, 63]);
    model.hiddenBias.set([1, 5, 0]);
    model.outputWeights.set([1, 2], 0);
    model.outputWeights.set([10, 20], 10);
    model.outputWeights.set([1], 20);
    const pixels = new Uint8Array(pixelsPerImage);
    pixels[0] = 100;
    // Hidden units: (3 * 100 + 1) / 4 = 75; -95 is clipped to 0; 6300 / 4 is clipped to 255.
    expect([...computeLogits(model, pixels).subarray(0, 3)]).toEqual([75 + 255, 150 - 1, -2]);
  });

  it("answers the first of equal logits, as ArgMax does", () => {
    expect(firstLargest([1, 3, 3, 2])).toBe(1);
  });
});

describe("exact mathematics", () => {
  it("computes the exponential to one part in 10^11 wherever softmax needs it", () => {
    for (let x = -59; x <= 0; x += 0.37) expect(Math.abs(exactExp(x) / Math.exp(x) - 1)).toBeLessThan(1e-11);
    expect([exactExp(0), exactExp(-61)]).toEqual([1, 0]);
  });

  it("draws the same numbers from the same seed for ever", () => {
    const random = createRandom(42);
    expect([random(), random(), random()].map((x) => Math.floor(x * 1e6))).toEqual([218840, 919385, 74824]);
  });

  it("shuffles to a permutation", () => {
    const values = Uint32Array.from({ length: 50 }, (_, i) => i);
    shuffle(values, createRandom(7));
    expect([...values].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect([...values]).not.toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});
