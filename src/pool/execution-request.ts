/** Model and input as the pool API names them, as an executor takes them. Used by workers and by validators alike. */
import { type Digest, parseDigest } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";
import type { CutItems } from "../protocol/shards/cut-items.ts";
import type { InlineTensors } from "../protocol/tensors/json.ts";
import { toTensorJson } from "./inline-tensors.ts";
import type { InputReference, ModelReference } from "./work-assignment.ts";

interface Artifact {
  readonly uri: string;
  readonly digest: Digest;
}

export interface ExecutionParts {
  readonly model: Artifact;
  readonly input: { readonly inline: InlineTensors } | Artifact;
  readonly steps?: {
    readonly count: number;
    readonly tensors: readonly string[];
    readonly state: readonly { readonly input: string; readonly output: string }[];
  };
  readonly calls?: number;
  readonly items?: CutItems;
}

/** @throws InferiumError InvalidDigest, InvalidInput */
export function toExecutionRequest(model: ModelReference, input: InputReference): ExecutionParts {
  const { steps, calls, items } = input;
  return {
    model: { uri: model.uri, digest: parseDigest(model.digest) },
    input: readInput(input),
    ...(steps === undefined ? {} : { steps: { count: steps.count, tensors: steps.tensors, state: steps.state ?? [] } }),
    ...(calls === undefined ? {} : { calls }),
    ...(items === undefined ? {} : { items }),
  };
}

function readInput({ inline, uri, digest }: InputReference): ExecutionParts["input"] {
  if (inline !== undefined && uri === undefined) return { inline: toTensorJson(inline) };
  if (inline === undefined && uri !== undefined && digest !== undefined) return { uri, digest: parseDigest(digest) };
  throw new InferiumError("InvalidInput", "An input is either inline tensors or a uri with its digest; it is neither.");
}
