/** What a finished training gave, as `inferium explain` shows it: where the model is, under the digest that was verified. Pure. */
import type { InferenceTask } from "../api/v1alpha1/types.ts";
import { InferiumError } from "../base/errors.ts";
import { readInline } from "../pool/inline-tensors.ts";
import { locateInStore, readTrainingResult } from "../protocol/training.ts";

export interface TrainingView {
  readonly program: string;
  /** Those made; the initial weights are not counted. */
  readonly checkpoints: number;
  readonly model: { readonly uri: string; readonly digest: string };
}

/** Undefined where the task is no training, or has no result that can be read. */
export function viewTraining({ spec, status }: Pick<InferenceTask, "spec" | "status">): TrainingView | undefined {
  const { training } = spec;
  const inline = status?.output?.inline;
  if (!training || !inline) return undefined;
  try {
    const result = readTrainingResult(training, readInline(inline as Parameters<typeof readInline>[0]));
    const uri = locateInStore(training.checkpointStore, result.model);
    return {
      program: training.program,
      checkpoints: result.checkpoints.length - 1,
      model: { uri, digest: result.model },
    };
  } catch (error) {
    // A worker's signed words may be anything; the verdict says what became of them.
    if (error instanceof InferiumError) return undefined;
    throw error;
  }
}
