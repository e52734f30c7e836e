/** Tensors between the form of the pool API and the API objects (numbers or base64, each in its field) and memory. */
import { InferiumError } from "../base/errors.ts";
import { type InlineTensors as TensorJson, tensorsFromJson, tensorsToJson } from "../protocol/tensors/json.ts";
import type { NamedTensors } from "../protocol/tensors/tensor.ts";
import { poolLimits } from "./wire.ts";
import type { InlineTensors } from "./work-assignment.ts";

/**
 * @param inline as a stranger sent it: checked against no schema on some ways here
 * @throws InferiumError InvalidInput where these are no tensors, or one has both forms of data or none
 */
export function toTensorJson(inline: InlineTensors): TensorJson {
  if (!isRecord(inline)) throw new InferiumError("InvalidInput", `Tensors are ${typeof inline}; expected an object.`);
  const entries = Object.entries(inline).map(([name, tensor]): [string, TensorJson[string]] => {
    if (!isRecord(tensor)) throw new InferiumError("InvalidInput", `Tensor "${name}" is no object.`);
    const { dtype, shape, data, base64 } = tensor;
    for (const [field, value] of Object.entries({ shape, data }))
      if (!Array.isArray(value) && !(field === "data" && value === undefined))
        throw new InferiumError("InvalidInput", `Tensor "${name}" has a ${field} that is no list.`);
    if ((data === undefined) === (base64 === undefined)) {
      throw new InferiumError("InvalidInput", `Tensor "${name}" needs either data or base64, and has both or none.`);
    }
    return [name, { dtype, shape: [...shape], data: data === undefined ? (base64 ?? "") : [...data] }];
  });
  return Object.fromEntries(entries);
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws InferiumError of tensorsFromJson */
export function readInline(inline: InlineTensors): NamedTensors {
  return tensorsFromJson(toTensorJson(inline));
}

/** @throws InferiumError OutputTooLarge where the tensors have more bytes than a receipt may carry */
export function writeInline(tensors: NamedTensors): InlineTensors {
  const bytes = [...tensors.values()].reduce((sum, tensor) => sum + tensor.data.byteLength, 0);
  if (bytes > poolLimits.maxOutputBytes) {
    const message = `The outputs have ${bytes} bytes; a receipt carries at most ${poolLimits.maxOutputBytes}.`;
    throw new InferiumError("OutputTooLarge", message, { evidence: { bytes } });
  }
  const entries = Object.entries(tensorsToJson(tensors)).map(([name, { dtype, shape, data }]) => [
    name,
    typeof data === "string" ? { dtype, shape, base64: data } : { dtype, shape, data },
  ]);
  return Object.fromEntries(entries);
}
