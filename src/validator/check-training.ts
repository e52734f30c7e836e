/**
 * A receipt of a training judged: what the worker's own signed digests should have been, as far as the drawn slices tell. Data and
 * checkpoints are fetched by digest, the data from where the task says and the checkpoints from the task's store. A checkpoint that
 * cannot be had is no fault that could be shown: the vote is an Abstain. Effects: fetches, the computation.
 */
import { digestToBytes32, parseDigest } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";
import { type ArtifactStoreOptions, createArtifactStore } from "../inference/fetch-artifact.ts";
import type { JudgeItem } from "../pool/duty.ts";
import { readInline } from "../pool/inline-tensors.ts";
import { digestTensors } from "../protocol/tensors/canonical.ts";
import type { NamedTensors } from "../protocol/tensors/tensor.ts";
import {
  blankResult,
  countSlices,
  drawSlices,
  readTrainingResult,
  type TrainingResult,
  type TrainingTerms,
  toTrainingOutputs,
} from "../protocol/training.ts";
import type { OwnResult } from "../protocol/verdict/cast-vote.ts";

export type TrainingItem = JudgeItem & { readonly training: TrainingTerms };
export type CheckTraining = (item: TrainingItem, signal: AbortSignal) => Promise<OwnResult>;

/** The result rejects with what makes it impossible to judge. */
export function createTrainingCheck(options: ArtifactStoreOptions): CheckTraining {
  return async (item, signal) => {
    const { training: terms, model, input, receipt } = item;
    const outputs = readInline(item.output ?? {});
    const outputDigest = digestToBytes32(digestTensors(outputs));
    if (outputDigest !== receipt.message.outputDigest)
      return { state: "Unable", reason: `the output handed on has digest ${outputDigest}; the receipt names another` };
    const { uri, digest } = input;
    if (uri === undefined || digest === undefined) return { state: "Unable", reason: "the training's data has no URI" };
    const initial = parseDigest(model.digest);
    const claimed = readClaimed(terms, outputs);
    const own = claimed
      ? await check(options, { terms, claimed, initial, data: { uri, digest: parseDigest(digest) } }, item, signal)
      : blankResult(terms, initial);
    const computed = toTrainingOutputs(terms, own);
    return {
      state: "Computed",
      outputs: computed,
      outputDigest: digestToBytes32(digestTensors(computed)),
      modelDigest: digestToBytes32(initial),
      inputDigest: digestToBytes32(parseDigest(digest)),
    };
  };
}

/** Undefined where what the worker signed is no result of such a training at all. */
function readClaimed(terms: TrainingTerms, outputs: NamedTensors): TrainingResult | undefined {
  try {
    return readTrainingResult(terms, outputs);
  } catch (error) {
    if (error instanceof InferiumError && error.code === "InvalidTrainingResult") return undefined;
    throw error;
  }
}

interface Claim {
  readonly terms: TrainingTerms;
  readonly claimed: TrainingResult;
  readonly initial: ReturnType<typeof parseDigest>;
  readonly data: { readonly uri: string; readonly digest: ReturnType<typeof parseDigest> };
}

async function check(
  options: ArtifactStoreOptions,
  { data, ...claim }: Claim,
  { sampleSeed }: TrainingItem,
  signal: AbortSignal,
): Promise<TrainingResult> {
  const { terms } = claim;
  // Loaded when the first one comes.
  const [{ openCheckpointStore }, { verifyTraining }, { readSafetensors }] = await Promise.all([
    import("../inference/training/checkpoint-store.ts"),
    import("../inference/training/verify-training.ts"),
    import("../protocol/tensors/safetensors.ts"),
  ]);
  const artifacts = createArtifactStore(options);
  const slices = sampleSeed === undefined ? [...Array(countSlices(terms)).keys()] : drawSlices(terms, sampleSeed);
  return verifyTraining({
    ...claim,
    data: readSafetensors(await artifacts.readArtifact(data, signal)),
    slices,
    store: openCheckpointStore(terms.checkpointStore, { ...options, artifacts }),
    signal,
  });
}
