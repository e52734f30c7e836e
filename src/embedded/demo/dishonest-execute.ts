/**
 * The cheater of the embedded run: answers its first task without running the model, and then behaves until it is given the
 * task that hardly anybody checks. It wraps an honest executor, so that everything around the lie (claim, receipt, signature) is
 * what any worker does.
 */
import type { Execution, Executor } from "../../inference/execute.ts";
import { digestTensors } from "../../protocol/tensors/canonical.ts";
import type { NamedTensors, Tensor } from "../../protocol/tensors/tensor.ts";

/** In the name of the input of the task that one validator alone checks. */
export const thinlyChecked = "one-validator";

export function createDishonestExecutor(honest: Executor): Executor {
  let lies = 1;
  return {
    ...honest,
    async execute(request, signal) {
      const execution = await honest.execute(request, signal);
      const isUnwatched = "uri" in request.input && request.input.uri.includes(thinlyChecked);
      if (lies === 0 && !isUnwatched) return execution;
      lies = Math.max(0, lies - 1);
      return forge(execution);
    },
  };
}

/** The right names, types and shapes, so that only re-execution can tell. */
function forge(execution: Execution): Execution {
  const outputs: NamedTensors = new Map([...execution.outputs].map(([name, tensor]) => [name, invent(tensor)]));
  return { ...execution, outputs, outputDigest: digestTensors(outputs) };
}

/** Zeroes: for a classifier the claim that every picture shows class 0. */
function invent(tensor: Tensor): Tensor {
  return { ...tensor, data: new Uint8Array(tensor.data.byteLength) };
}
