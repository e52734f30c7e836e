/**
 * Trains: from the newest checkpoint that is known and still there, step by step to the last one, each checkpoint put into the
 * store before it is told, then the model. Called in a training pod. Effects: the store; what `onCheckpoint` does.
 */
import type { Digest } from "../../base/digest.ts";
import { readSafetensors, writeSafetensors } from "../../protocol/tensors/safetensors.ts";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import { countSlices, stepsOf, type TrainingResult, type TrainingTerms } from "../../protocol/training.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";
import { createPause } from "./pause.ts";
import { findProgram } from "./program.ts";

export interface TrainingRun {
  readonly terms: TrainingTerms;
  readonly data: NamedTensors;
  /** The weights to begin with, as a safetensors file, and its digest. */
  readonly initial: { readonly bytes: Uint8Array; readonly digest: Digest };
  /** Checkpoints of an earlier try from the first on, that of the initial weights left out. */
  readonly known: readonly Digest[];
  readonly store: CheckpointStore;
  /** The checkpoint is in the store. @param index from 1 */
  readonly onCheckpoint: (index: number, digest: Digest) => void;
  readonly signal: AbortSignal;
}

/** @throws InferiumError UnknownProgram, InvalidTraining, of the store, of tensors; or the signal's reason */
export async function runTraining(run: TrainingRun): Promise<TrainingResult> {
  const { terms, store, signal } = run;
  const training = findProgram(terms.program).open(run.data, terms);
  const pause = createPause(signal);
  const checkpoints = [run.initial.digest, ...run.known.slice(0, countSlices(terms))];
  let weights = readSafetensors(await readNewest(run, checkpoints));
  for (let slice = checkpoints.length - 1; slice < countSlices(terms); slice++) {
    weights = await training.run(weights, stepsOf(terms, slice), pause);
    const digest = await store.put(writeSafetensors(weights), signal);
    checkpoints.push(digest);
    run.onCheckpoint(slice + 1, digest);
  }
  return { checkpoints, model: await store.put(await training.finish(weights, pause), signal) };
}

/** Drops those from the list that cannot be had any more: their steps are computed again. */
async function readNewest({ store, initial, signal }: TrainingRun, checkpoints: Digest[]): Promise<Uint8Array> {
  for (let newest = checkpoints.at(-1); newest !== undefined && checkpoints.length > 1; newest = checkpoints.at(-1)) {
    try {
      return await store.get(newest, signal);
    } catch {
      signal.throwIfAborted();
      checkpoints.pop();
    }
  }
  // Whoever checks the first slice finds it beside the others.
  await store.put(initial.bytes, signal);
  return initial.bytes;
}
