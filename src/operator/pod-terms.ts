/** What a task of mode Pod asks for, in the form of the pool API: for the launcher that runs it and the panel that checks it. Pure. */
import type { InferenceTaskSpec } from "../api/v1alpha1/generated/inferencetasks.ts";
import type { PodReference } from "../pool/work-assignment.ts";
import { minimumTierOf } from "../protocol/task.ts";
import { isAtLeast, tiers } from "../protocol/tier.ts";
import type { TrainingTerms } from "../protocol/training.ts";

const defaultStartTimeoutSeconds = 600;

/** Undefined for a task that a worker runs itself. */
export function podOf(spec: InferenceTaskSpec): PodReference | undefined {
  if (spec.mode !== "Pod") return undefined;
  const { size = 1, startTimeoutSeconds = defaultStartTimeoutSeconds, ...template } = spec.template ?? {};
  const { gpus, migProfile } = spec.resources ?? {};
  const least = minimumTierOf(spec);
  return {
    ...template,
    ...{ size, startTimeoutSeconds, tiers: tiers.filter((tier) => isAtLeast(tier, least)) },
    ...(gpus === undefined ? {} : { gpus }),
    ...(migProfile === undefined ? {} : { migProfile }),
    ...(spec.nodeSelector ? { nodeSelector: spec.nodeSelector } : {}),
  };
}

export function trainingOf({ training }: Pick<InferenceTaskSpec, "training">): TrainingTerms | undefined {
  if (!training) return undefined;
  const { program, hyperparameters, steps, checkpointEvery, seed, checkpointStore, sampledSlices } = training;
  return {
    program,
    hyperparameters: hyperparameters ?? {},
    steps,
    checkpointEvery,
    seed,
    checkpointStore,
    sampledSlices,
  };
}
