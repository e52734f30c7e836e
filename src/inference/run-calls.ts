/**
 * Calls that were served one by one, run again one by one under one receipt: the tensors of the first are named `0/NAME`, and
 * so are its outputs. Shapes may differ from call to call.
 */
import { InferiumError } from "../base/errors.ts";
import { joinCalls, splitCalls } from "../protocol/call-window.ts";
import type { NamedTensors } from "../protocol/tensors/tensor.ts";
import { checkFeeds } from "./feeds.ts";
import { fromResults, toFeeds } from "./run-model.ts";
import type { LoadedModel } from "./session.ts";

export const maxCalls = 64;

/** @throws InferiumError InvalidCalls, InputMismatch, UnsupportedOutput; whatever onnxruntime throws; or the signal's reason */
export async function runCalls(
  { session, run }: Pick<LoadedModel, "session" | "run">,
  inputs: NamedTensors,
  count: number,
  signal?: AbortSignal,
): Promise<NamedTensors> {
  if (!Number.isInteger(count) || count < 1 || count > maxCalls)
    throw new InferiumError("InvalidCalls", `input.calls is ${count}; expected a whole number from 1 to ${maxCalls}.`);
  const calls = splitCalls(inputs, count);
  const named = calls.reduce((sum, call) => sum + call.size, 0);
  if (named < inputs.size) {
    const message = `${inputs.size - named} input tensors are of none of the ${count} calls; expected names such as 0/NAME.`;
    throw new InferiumError("InvalidCalls", message);
  }
  const outputs: NamedTensors[] = [];
  for (const call of calls) {
    signal?.throwIfAborted();
    checkFeeds(call, session.inputMetadata);
    outputs.push(fromResults(await run(toFeeds(call))));
  }
  return joinCalls(outputs);
}
