/**
 * Recurrent models: one run per slice of a sequence, the state of each step fed to the next. Such a task is one
 * execution with one output, so that a sequence of thousands of steps costs one receipt.
 */
import { InferiumError } from "../base/errors.ts";
import { type NamedTensors, requireTensor, type Tensor } from "../protocol/tensors/tensor.ts";
import { checkFeeds } from "./feeds.ts";
import { fromResult, requireResult, toFeeds } from "./run-model.ts";
import type { LoadedModel } from "./session.ts";
import type { Feeds } from "./session-run.ts";
import { createStack, cutTensor, type Stack } from "./slices.ts";
import { toOrtTensor } from "./tensor-bridge.ts";

export interface Steps {
  readonly count: number;
  /** Inputs cut along axis 0 into `count` equal slices, one for each step; the others go whole into every step. */
  readonly tensors: readonly string[];
  /** Outputs fed back as inputs; the input's given value is the state before the first step. */
  readonly state: readonly { readonly input: string; readonly output: string }[];
}

export interface StepLimits {
  readonly maxOutputBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export const maxSteps = 1_000_000;

/**
 * Outputs of all steps stacked along axis 0; an output that is state holds its value after the last step.
 * @throws InferiumError InvalidSteps, InputMismatch, UnsupportedOutput, TooLarge; whatever onnxruntime throws
 */
export async function runSteps(
  { session, run }: Pick<LoadedModel, "session" | "run">,
  inputs: NamedTensors,
  steps: Steps,
  limits: StepLimits,
): Promise<NamedTensors> {
  checkSteps(steps);
  const slices = new Map(
    steps.tensors.map((name) => [name, cutTensor(name, requireTensor(inputs, name), steps.count)]),
  );
  const first = new Map([...inputs].map(([name, tensor]): [string, Tensor] => [name, slices.get(name)?.[0] ?? tensor]));
  checkFeeds(first, session.inputMetadata);
  const feeds = toFeeds(first);
  const stacks = createStacks(session.outputNames, steps, limits);
  let results: Feeds = {};
  for (let step = 0; step < steps.count; step++) {
    limits.signal?.throwIfAborted();
    for (const [name, parts] of slices) feeds[name] = toOrtTensor(parts[step] ?? requireTensor(first, name));
    results = await run(feeds);
    for (const [name, stack] of stacks) stack.push(fromResult(results, name));
    for (const { input, output } of steps.state) feeds[input] = requireResult(results, output);
  }
  return collect(session.outputNames, stacks, results);
}

function checkSteps(steps: Steps): void {
  if (!Number.isSafeInteger(steps.count) || steps.count < 1 || steps.count > maxSteps) {
    throw new InferiumError(
      "InvalidSteps",
      `steps.count is ${steps.count}; expected a whole number from 1 to ${maxSteps}.`,
    );
  }
  const clash = steps.state.find(({ input }) => steps.tensors.includes(input));
  if (clash !== undefined) {
    throw new InferiumError(
      "InvalidSteps",
      `Input "${clash.input}" is both state and cut into slices; it can be one of them.`,
    );
  }
}

function createStacks(outputs: readonly string[], steps: Steps, limits: StepLimits): Map<string, Stack> {
  const stateful = new Set(steps.state.map(({ output }) => output));
  const stacked = outputs.filter((name) => !stateful.has(name));
  return new Map(stacked.map((name) => [name, createStack(name, steps.count, limits.maxOutputBytes)]));
}

function collect(outputs: readonly string[], stacks: ReadonlyMap<string, Stack>, last: Feeds): NamedTensors {
  return new Map(outputs.map((name): [string, Tensor] => [name, stacks.get(name)?.finish() ?? fromResult(last, name)]));
}
