/** Which row of a receipt is wrong, if any: what a challenger finds out before it puts up a bond. Pure. */
import { InferiumError } from "../../base/errors.ts";
import { numberAt, viewElements } from "../../protocol/tensors/elements.ts";
import { type NamedTensors, namesInOrder, requireTensor } from "../../protocol/tensors/tensor.ts";
import { firstLargest } from "../network/integer-network.ts";
import type { GameModel } from "./game-model.ts";
import { InferenceTrace } from "./inference-trace.ts";

export interface WrongRow {
  readonly row: number;
  readonly trace: InferenceTrace;
}

/** @throws InferiumError InvalidInput, MissingTensor */
export function findWrongRow(model: GameModel, input: NamedTensors, output: NamedTensors): WrongRow | undefined {
  const { rows, traceOf } = readRows(model, input);
  for (let row = 0; row < rows; row++) {
    const trace = traceOf(row);
    if (!isRight(model, output, { row, logits: trace.logits() })) return { row, trace };
  }
  return undefined;
}

/** The rows of an input, each with its trace when asked for. @throws InferiumError InvalidInput */
export function readRows(model: GameModel, input: NamedTensors) {
  const tensor = requireTensor(input, model.inputName);
  const size = model.layers[0]?.inputs ?? 0;
  const [rows = 0, columns] = tensor.shape;
  if (tensor.dtype !== "uint8" || tensor.shape.length !== 2 || columns !== size) {
    throw new InferiumError(
      "InvalidInput",
      `The input "${model.inputName}" is ${tensor.dtype}[${tensor.shape}]; expected uint8[N,${size}].`,
    );
  }
  const rowOf = (row: number) => tensor.data.subarray(row * size, (row + 1) * size);
  return { rows, data: tensor.data, traceOf: (row: number) => new InferenceTrace(model, rowOf(row)) };
}

/** Data of the outputs in the order in which the contract takes them. */
export function outputData(output: NamedTensors): Uint8Array[] {
  return namesInOrder(output).map((name) => requireTensor(output, name).data);
}

function isRight(model: GameModel, output: NamedTensors, { row, logits }: { row: number; logits: number[] }): boolean {
  const label = firstLargest(logits);
  return model.outputs.every(({ name, kind }) => {
    const tensor = requireTensor(output, name);
    const elements = viewElements(tensor);
    const at = (index: number) => Number(numberAt(tensor.dtype, elements, index));
    if (kind === "logits") return logits.every((logit, index) => at(row * logits.length + index) === logit);
    return at(row) === (kind === "label" ? label : logits[label]);
  });
}
