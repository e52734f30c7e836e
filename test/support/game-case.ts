/** A small model with two layers, more than one block and more than one tile in each direction; an input of two rows. For tests of disputes. */
import { createTensor, type NamedTensors } from "../../src/protocol/tensors/tensor.ts";
import { type GameModel, readGameModel } from "../../src/zk/game/game-model.ts";
import { InferenceTrace } from "../../src/zk/game/inference-trace.ts";
import { firstLargest } from "../../src/zk/network/integer-network.ts";
import { buildIntegerModel, drawBytes } from "./integer-model.ts";

export interface GameCasePlan {
  readonly sizes: readonly number[];
  readonly seed: number;
  readonly rows: number;
}

export function aGameCase({ sizes, seed, rows }: GameCasePlan = { sizes: [70, 40, 3], seed: 4, rows: 2 }) {
  const onnx = buildIntegerModel({ sizes, seed, outputs: ["label", "logits", "score"] });
  const model = readGameModel(onnx);
  const bytes = drawBytes(rows * (sizes[0] ?? 0), seed + 1);
  const input: NamedTensors = new Map([["bytes", createTensor("uint8", [rows, sizes[0] ?? 0], bytes)]]);
  return { onnx, model, bytes, rows, input, output: outputsOf(model, input, rows) };
}

/** What an honest worker gives, or one with another model. */
export function outputsOf(model: GameModel, input: NamedTensors, rows: number): NamedTensors {
  const data = input.get("bytes")?.data ?? new Uint8Array();
  const size = data.length / rows;
  const traces = Array.from(
    { length: rows },
    (_, row) => new InferenceTrace(model, data.subarray(row * size, (row + 1) * size)),
  );
  return outputsFrom(traces.map((trace) => trace.logits()));
}

export function outputsFrom(logits: readonly (readonly number[])[]): NamedTensors {
  const rows = logits.length;
  const bytesOf = (values: Int32Array | BigInt64Array) => new Uint8Array(values.buffer);
  const labels = logits.map((row) => firstLargest(row));
  const scores = logits.map((row, index) => row[labels[index] ?? 0] ?? 0);
  return new Map([
    ["label", createTensor("int64", [rows], bytesOf(BigInt64Array.from(labels.map(BigInt))))],
    ["logits", createTensor("int32", [rows, logits[0]?.length ?? 0], bytesOf(Int32Array.from(logits.flat())))],
    ["score", createTensor("int32", [rows], bytesOf(Int32Array.from(scores)))],
  ]);
}
