/** One inference by a small model, with all that a verifier must have of its own. For tests of proofs. */

import { createTensor, type NamedTensors } from "../../src/protocol/tensors/tensor.ts";
import { readIntegerNetwork } from "../../src/zk/network/from-onnx.ts";
import { computeLogits, firstLargest } from "../../src/zk/network/integer-network.ts";
import { buildIntegerModel, drawBytes } from "./integer-model.ts";

export function provenCase() {
  const onnx = buildIntegerModel({ sizes: [6, 4, 3], seed: 1, outputs: ["label", "score"] });
  const network = readIntegerNetwork(onnx);
  const bytes = drawBytes(network.inputs, 9);
  const logits = computeLogits(network, bytes);
  const label = firstLargest(logits);
  const input: NamedTensors = new Map([[network.inputName, createTensor("uint8", [1, network.inputs], bytes)]]);
  const output = outputOf(label, logits[label] ?? 0);
  const task = {
    chainId: 31337n,
    registry: `0x${"11".repeat(20)}`,
    taskId: `0x${"22".repeat(32)}`,
    worker: `0x${"33".repeat(20)}`,
    attempt: 1,
  };
  return { onnx, input, salt: 77n, label, score: logits[label] ?? 0, statement: { network, input, output, task } };
}

export function outputOf(label: number, score: number): NamedTensors {
  return new Map([
    ["label", createTensor("int64", [1], new Uint8Array(BigInt64Array.of(BigInt(label)).buffer))],
    ["score", createTensor("int32", [1], new Uint8Array(Int32Array.of(score).buffer))],
  ]);
}
