/** One run of a loaded model: tensors in, tensors out. Effects: the processor's, and nothing else. */
import type * as ort from "onnxruntime-node";
import { InferiumError } from "../base/errors.ts";
import type { NamedTensors, Tensor } from "../protocol/tensors/tensor.ts";
import { checkFeeds } from "./feeds.ts";
import type { Input } from "./inputs.ts";
import type { LoadedModel } from "./session.ts";
import type { Feeds } from "./session-run.ts";
import { fromOrtTensor, toOrtTensor } from "./tensor-bridge.ts";

/** @throws InferiumError InputMismatch, UnsupportedOutput; whatever onnxruntime throws */
export async function runModel(model: LoadedModel, input: Pick<Input, "tensors" | "feeds">): Promise<NamedTensors> {
  checkFeeds(input.tensors, model.session.inputMetadata);
  return fromResults(await model.run(input.feeds));
}

export function toFeeds(inputs: NamedTensors): Feeds {
  // Without a prototype, so that no tensor's name can mean anything but itself.
  const feeds: Feeds = Object.create(null);
  for (const [name, tensor] of inputs) feeds[name] = toOrtTensor(tensor);
  return feeds;
}

export function fromResults(results: Feeds): NamedTensors {
  const outputs = new Map<string, Tensor>();
  for (const name of Object.keys(results)) outputs.set(name, fromResult(results, name));
  return outputs;
}

export function fromResult(results: Feeds, name: string): Tensor {
  return fromOrtTensor(name, requireResult(results, name));
}

export function requireResult(results: Feeds, name: string): ort.Tensor {
  const value = results[name];
  if (value !== undefined) return value;
  const have = Object.keys(results).join(", ");
  throw new InferiumError("InputMismatch", `The model has no output "${name}"; its outputs: ${have}.`);
}
