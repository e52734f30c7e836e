import { describe, expect, it } from "vitest";
import {
  countCorrect,
  cutBatches,
  loadMnist,
  pixelsPerImage,
  readIdx,
} from "../../../../../src/embedded/demo/data/mnist.ts";
import { readSafetensors } from "../../../../../src/protocol/tensors/safetensors.ts";

describe("MNIST", () => {
  it("has ten thousand test images whose first labels are the published ones", async () => {
    const set = await loadMnist("test");
    expect(set.count).toBe(10_000);
    expect([...set.labels.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    expect(set.images.length).toBe(10_000 * pixelsPerImage);
  });

  it("is cut into batches that together are all images in order, each a safetensors file", () => {
    const images = new Uint8Array(5 * pixelsPerImage).map((_, i) => i / pixelsPerImage);
    const batches = cutBatches({ count: 5, images, labels: Uint8Array.of(5, 6, 7, 8, 9) }, 2);
    const pixels = batches.map(({ file }) => readSafetensors(file).get("pixels")!);
    expect(pixels.map(({ shape }) => shape)).toEqual([
      [2, 784],
      [2, 784],
      [1, 784],
    ]);
    expect(Buffer.concat(pixels.map(({ data }) => data)).equals(images)).toBe(true);
    expect(batches.map(({ labels }) => [...labels])).toEqual([[5, 6], [7, 8], [9]]);
  });

  it("counts the labels that a model got right", () => {
    expect(countCorrect(BigInt64Array.of(1n, 2n, 3n), Uint8Array.of(1, 0, 3))).toBe(2);
    expect(countCorrect([1], Uint8Array.of(1, 1))).toBe(1);
  });

  it.each([
    { what: "another magic", bytes: [0, 0, 9, 1, 0, 0, 0, 1, 7], want: /does not hold unsigned bytes/ },
    { what: "too few bytes", bytes: [0, 0, 8, 1, 0, 0, 0, 2, 7], want: /shape \[2\] and 9 bytes/ },
    { what: "a cut header", bytes: [0, 0, 8], want: /does not hold/ },
  ])("refuses an IDX file with $what", ({ bytes, want }) => {
    expect(() => readIdx(Uint8Array.from(bytes), [])).toThrow(want);
  });
});
