/** Checks inputs against what a model asks for, so that a wrong task gets an answer in its own terms. Pure. */
import type { InferenceSession } from "onnxruntime-node";
import { InferiumError } from "../base/errors.ts";
import type { NamedTensors, Tensor } from "../protocol/tensors/tensor.ts";

type Metadata = readonly InferenceSession.ValueMetadata[];

/** @throws InferiumError InputMismatch */
export function checkFeeds(tensors: NamedTensors, wanted: Metadata): void {
  for (const want of wanted) {
    const got = tensors.get(want.name);
    if (got === undefined) throw mismatch(`The model needs an input "${want.name}"; given: ${namesOf(tensors)}.`);
    checkTensor(want, got);
  }
  if (tensors.size === wanted.length) return;
  const extra = [...tensors.keys()].filter((name) => !wanted.some((want) => want.name === name));
  throw mismatch(`The model has no input "${extra[0]}"; its inputs: ${wanted.map((want) => want.name).join(", ")}.`);
}

function checkTensor(want: InferenceSession.ValueMetadata, got: Tensor): void {
  if (!want.isTensor) throw mismatch(`The model's input "${want.name}" is not a tensor, which is not supported.`);
  const fits = want.type === got.dtype && shapeFits(want.shape, got.shape);
  if (fits) return;
  const wantForm = `${want.type}[${want.shape.map((size) => (typeof size === "number" ? size : "any")).join(",")}]`;
  throw mismatch(`Input "${want.name}" is ${got.dtype}[${got.shape.join(",")}]; the model needs ${wantForm}.`);
}

/** A named axis of a model takes any size. A model without a declared shape reports none, like a scalar. */
function shapeFits(want: readonly (number | string)[], got: readonly number[]): boolean {
  if (want.length === 0) return true;
  return want.length === got.length && want.every((size, i) => typeof size === "string" || size === got[i]);
}

function namesOf(tensors: NamedTensors): string {
  return [...tensors.keys()].slice(0, 16).join(", ") || "none";
}

function mismatch(message: string): InferiumError {
  return new InferiumError("InputMismatch", message);
}
