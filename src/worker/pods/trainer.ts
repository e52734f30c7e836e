/**
 * What runs in a training pod (`inferium train`): fetches weights and data by digest, trains, and reports each checkpoint and the
 * result on standard output. Holds no key and no right: what it says counts because the launcher reads it. Effects: HTTP, the cache.
 */
import { parseDigest } from "../../base/digest.ts";
import { createEnvironmentReader, type Environment } from "../../base/environment.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { createArtifactStore } from "../../inference/fetch-artifact.ts";
import { openCheckpointStore } from "../../inference/training/checkpoint-store.ts";
import { runTraining } from "../../inference/training/run-training.ts";
import { readExecutor } from "../../pool/member-config.ts";
import { readSafetensors } from "../../protocol/tensors/safetensors.ts";
import { countSlices } from "../../protocol/training.ts";
import { type PodTask, parsePodTask } from "./pod-task.ts";
import { type PodReport, writeReport } from "./report.ts";

export interface TrainerDependencies {
  /** Writes one line to standard output. */
  readonly out: (line: string) => void;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** @throws InferiumError: what it says is reported as well */
export async function runTrainer(variables: Environment, dependencies: TrainerDependencies): Promise<void> {
  const report = (what: PodReport) => dependencies.out(writeReport(what));
  try {
    report(await train(variables, report, dependencies));
  } catch (error) {
    const code = error instanceof InferiumError ? error.code : "Internal";
    if (!dependencies.signal.aborted) report({ kind: "failed", code, message: describeError(error).slice(0, 2_000) });
    throw error;
  }
}

async function train(
  variables: Environment,
  report: (what: PodReport) => void,
  { logger, signal }: TrainerDependencies,
): Promise<PodReport> {
  const env = createEnvironmentReader(variables);
  const task = parsePodTask(env.required("INFERIUM_TASK"));
  const { training: terms } = task;
  if (terms === undefined)
    throw new InferiumError("InvalidTraining", "The task has no training; set spec.training, or run another image.");
  const options = readExecutor(env);
  const artifacts = createArtifactStore(options);
  const initial = await read(artifacts, task.model, signal);
  const data = await read(artifacts, task.input, signal);
  const token = env.text("INFERIUM_CHECKPOINT_TOKEN");
  const slices = countSlices(terms);
  logger.info("training", { task: task.task, program: terms.program, steps: terms.steps, known: task.known.length });
  const result = await runTraining({
    terms,
    data: readSafetensors(data.bytes),
    initial,
    known: task.known,
    store: openCheckpointStore(terms.checkpointStore, { ...options, artifacts, token }),
    onCheckpoint: (index, digest) => {
      logger.info("checkpoint", { task: task.task, index, of: slices, digest });
      report({ kind: "checkpoint", index, digest });
    },
    signal,
  });
  return { kind: "trained", ...result };
}

async function read(
  artifacts: ReturnType<typeof createArtifactStore>,
  { uri, digest: text }: PodTask["model"],
  signal: AbortSignal,
) {
  const digest = parseDigest(text);
  return { digest, bytes: await artifacts.readArtifact({ uri, digest }, signal) };
}
