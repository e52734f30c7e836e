/**
 * Checks a training's result: the chain of checkpoints begins with the task's weights, the drawn slices lead from one checkpoint to
 * the next, and the model is made of the last one. Called by validators, with checkpoints from the store, each fetched by the
 * digest that the worker signed. Effects: reads of the store, the computation.
 */
import { type Digest, sha256 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { readSafetensors, writeSafetensors } from "../../protocol/tensors/safetensors.ts";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import { correctResult, stepsOf, type TrainingResult, type TrainingTerms } from "../../protocol/training.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";
import { createPause } from "./pause.ts";
import { findProgram } from "./program.ts";

export interface TrainingCheck {
  readonly terms: TrainingTerms;
  readonly data: NamedTensors;
  /** Digest of the weights that the task names. */
  readonly initial: Digest;
  readonly claimed: TrainingResult;
  readonly slices: readonly number[];
  readonly store: Pick<CheckpointStore, "get">;
  readonly signal: AbortSignal;
}

/**
 * What the result should have been, as far as it was computed again: equal to the claim where nothing is wrong with it. Ends with
 * the first digest that is wrong, for what follows from it says nothing.
 * @throws InferiumError of the program, of the store where a checkpoint cannot be had; or the signal's reason
 */
export async function verifyTraining(check: TrainingCheck): Promise<TrainingResult> {
  const { terms, claimed, initial, store, signal } = check;
  if (claimed.checkpoints[0] !== initial) return correctResult(claimed, 0, initial);
  const training = findProgram(terms.program).open(check.data, terms);
  const pause = createPause(signal);
  const read = async (index: number) => readSafetensors(await store.get(claimed.checkpoints[index] as Digest, signal));
  let at = 0;
  try {
    for (at of check.slices) {
      const weights = await training.run(await read(at), stepsOf(terms, at), pause);
      const digest = sha256(writeSafetensors(weights));
      if (digest !== claimed.checkpoints[at + 1]) return correctResult(claimed, at + 1, digest);
    }
    at = claimed.checkpoints.length - 1;
    return { ...claimed, model: sha256(await training.finish(await read(at), pause)) };
  } catch (error) {
    if (isMalformed(error, at)) return correctResult(claimed, at);
    throw error;
  }
}

const malformed: ReadonlySet<string> = new Set([
  ...["InvalidSafetensors", "UnknownDType", "InvalidShape", "WrongByteLength", "InvalidBool", "InvalidTraining"],
]);

/** The bytes are those that the worker signed for, and no weights of this program. The first are the task's own. */
function isMalformed(error: unknown, index: number): boolean {
  return index > 0 && error instanceof InferiumError && malformed.has(error.code);
}
