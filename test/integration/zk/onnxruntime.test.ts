/** The integers that circuits prove are those that onnxruntime gives, bit for bit: else an honest worker could not be proven. */
import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { readIntegerNetwork } from "../../../src/zk/network/from-onnx.ts";
import { computeLogits, firstLargest } from "../../../src/zk/network/integer-network.ts";
import { buildIntegerModel, drawBytes } from "../../support/integer-model.ts";

test.each([1, 2, 3, 4, 5, 6])("a random network gives the same in both (seed %i)", async (seed) => {
  const sizes = [20 + seed, 7 * seed, 5, 4].slice(0, seed % 2 === 0 ? 3 : 4);
  const onnx = buildIntegerModel({ sizes, seed, outputs: ["label", "logits", "score"] });
  const network = readIntegerNetwork(onnx);
  const rows = 8;
  const bytes = drawBytes(network.inputs * rows, seed);
  bytes.fill(255, 0, network.inputs);
  const session = await ort.InferenceSession.create(onnx);
  const results = await session.run({ bytes: new ort.Tensor("uint8", bytes, [rows, network.inputs]) });
  const own = Array.from({ length: rows }, (_, row) =>
    computeLogits(network, bytes.subarray(row * network.inputs, (row + 1) * network.inputs)),
  );
  expect([...(results.logits!.data as Int32Array)]).toEqual(own.flatMap((logits) => [...logits]));
  expect([...(results.label!.data as BigInt64Array)].map(Number)).toEqual(own.map(firstLargest));
  expect([...(results.score!.data as Int32Array)]).toEqual(own.map((logits) => Math.max(...logits)));
  await session.release();
});
