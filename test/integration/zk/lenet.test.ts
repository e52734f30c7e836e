/** The committed convolutional model: how well it reads digits, in onnxruntime and in the integers that its circuit proves. */
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { countCorrect, loadMnist, pixelsPerImage } from "../../../src/embedded/demo/data/mnist.ts";
import { lenetPath } from "../../../src/embedded/demo/models/train-lenet.ts";
import { compileInference } from "../../../src/zk/circuit/inference-circuit.ts";
import { readIntegerNetwork } from "../../../src/zk/network/from-onnx.ts";
import { computeLogits, firstLargest } from "../../../src/zk/network/integer-network.ts";
import { developmentPowersOfTau } from "../../../src/zk/proving/powers-of-tau.ts";

const onnx = readFileSync(lenetPath);
const network = readIntegerNetwork(onnx);
const digits = await loadMnist("test");

test("it gets 97.9 % of the test images right", async () => {
  const session = await ort.InferenceSession.create(onnx);
  const pixels = new ort.Tensor("uint8", digits.images, [digits.count, pixelsPerImage]);
  const { label, score } = await session.run({ pixels });
  await session.release();
  const labels = label!.data as BigInt64Array;
  expect(countCorrect(labels, digits.labels) / digits.count).toBeCloseTo(0.979, 3);
  for (let image = 0; image < 200; image++) {
    const logits = computeLogits(network, digits.images.subarray(image * pixelsPerImage, (image + 1) * pixelsPerImage));
    expect([firstLargest(logits), Math.max(...logits)]).toEqual([
      Number(labels[image]),
      (score!.data as Int32Array)[image],
    ]);
  }
});

test("its circuit fits the powers of tau for development", () => {
  expect(compileInference(network, 1).constraintCount).toBeLessThan(2 ** developmentPowersOfTau.power - 4);
});
