/** Any network and its dense layers give the same integers, and what has none is refused by name. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { lenetPath } from "../../../src/embedded/demo/models/train-lenet.ts";
import { asDenseLayers } from "../../../src/zk/game/as-dense.ts";
import { readIntegerNetwork } from "../../../src/zk/network/from-onnx.ts";
import { computeActivations, computeLogits, computeSums, type Layer } from "../../../src/zk/network/integer-network.ts";
import { drawModel } from "../../circuits/support/draw-model.ts";
import { buildImageModel, drawBytes } from "../../support/integer-model.ts";

const run = (layers: readonly Layer[], input: Uint8Array) =>
  layers.reduce<Int32Array>(
    (values, layer) => computeActivations(layer, computeSums(layer, values)),
    Int32Array.from(input),
  );

/** Its result is no sum of bytes. */
const isRectified = (layers: readonly Layer[]) => layers.at(-1)?.kind === "relu";

describe("dense layers in place of windows", () => {
  test.each(["dense", "convolutional"] as const)("give what a random %s network gives", (kind) => {
    let compared = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const network = readIntegerNetwork(drawModel(kind, seed));
      if (isRectified(network.layers)) continue;
      const dense = asDenseLayers(network.layers);
      for (const bytes of [drawBytes(network.inputs, seed), new Uint8Array(network.inputs).fill(255)]) {
        expect([seed, ...run(dense, bytes)]).toEqual([seed, ...computeLogits(network, bytes)]);
      }
      expect(dense.slice(0, -1).every(({ shift }) => shift !== undefined)).toBe(true);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(30);
  });

  test("give what the trained convolutional classifier gives: averages, windows and maxima", () => {
    const network = readIntegerNetwork(readFileSync(lenetPath));
    const dense = asDenseLayers(network.layers);
    const bytes = drawBytes(784, 3);
    expect(run(dense, bytes)).toEqual(computeLogits(network, bytes));
    expect(dense.map(({ inputs, outputs, shift }) => [inputs, outputs, shift])).toEqual([
      [784, 196, 2],
      [196, 600, 9],
      [600, 600, 0],
      [600, 300, 0],
      [300, 300, 0],
      [300, 150, 0],
      [150, 108, 7],
      [108, 10, undefined],
    ]);
  });

  test("are refused where sums that are no bytes are the result", () => {
    const steps = [{ kind: "convolution", filters: 2, size: [3, 3] }] as const;
    const onnx = buildImageModel({
      image: [1, 6, 6],
      steps,
      sizes: [3],
      seed: 1,
      outputs: ["label"],
      isRectified: true,
    });
    expect(() => asDenseLayers(readIntegerNetwork(onnx).layers)).toThrow(
      expect.objectContaining({ code: "UnsupportedLayer" }),
    );
  });
});
