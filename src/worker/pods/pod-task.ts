/** What a pod is told of its task, as JSON in INFERIUM_TASK. Written by the launcher, read by the trainer and by anybody's container. */
import { type Digest, isDigest } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import type { WorkAssignment } from "../../pool/work-assignment.ts";
import type { TrainingTerms } from "../../protocol/training.ts";

export interface PodTask {
  readonly namespace: string;
  readonly task: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly model: { readonly uri: string; readonly digest: string };
  readonly input: { readonly uri: string; readonly digest: string };
  readonly training?: TrainingTerms;
  /** Checkpoints of an earlier try that can be gone on from, that of the initial weights left out. */
  readonly known: readonly Digest[];
}

/** @throws InferiumError InvalidInput where the input is no file that a pod could fetch */
export function buildPodTask(assignment: WorkAssignment, known: readonly Digest[]): PodTask {
  const { namespace, task, taskId, attempt, model, input, training } = assignment;
  const { uri, digest } = input;
  if (uri === undefined || digest === undefined)
    throw new InferiumError("InvalidInput", "A pod fetches its input; give input.uri with its digest.");
  return { namespace, task, taskId, attempt, model, input: { uri, digest }, ...(training ? { training } : {}), known };
}

/** @throws InferiumError InvalidConfiguration */
export function parsePodTask(text: string): PodTask {
  try {
    const value = JSON.parse(text) as PodTask;
    if (typeof value.model?.uri !== "string" || typeof value.input?.uri !== "string")
      throw new Error("no model or input");
    if (!Array.isArray(value.known) || !value.known.every(isDigest)) throw new Error("no list of digests in known");
    return value;
  } catch (cause) {
    const message = `INFERIUM_TASK is "${text.slice(0, 80)}"; expected the JSON that a launcher writes.`;
    throw new InferiumError("InvalidConfiguration", message, { disposition: "fatal", cause });
  }
}
