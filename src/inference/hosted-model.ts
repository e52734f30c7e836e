/** A loaded model as callers of it see it, on the thread that calls it. Apart from fetching, so that its own thread loads little. */
import type { Digest } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";
import type { NamedTensors } from "../protocol/tensors/tensor.ts";
import { runModel, toFeeds } from "./run-model.ts";
import { formatRuntime } from "./runtime.ts";
import type { LoadedModel } from "./session.ts";

export interface HostedModel {
  readonly digest: Digest;
  /** As a receipt names it, see runtime.ts. */
  readonly runtime: string;
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  /** @throws InferiumError InputMismatch, ExecutionFailed and those of tensors */
  infer(inputs: NamedTensors): Promise<NamedTensors>;
  close(): Promise<void>;
}

export interface TensorSignature {
  readonly name: string;
  /** Of protocol/tensors/dtype.ts where it is one of them. */
  readonly dtype: string;
  /** -1 where any size goes. */
  readonly shape: readonly number[];
}

export function hostModel(digest: Digest, loaded: LoadedModel): HostedModel {
  const { session, runtime } = loaded;
  return {
    digest,
    runtime: formatRuntime(runtime),
    inputs: session.inputMetadata.map(describe),
    outputs: session.outputMetadata.map(describe),
    infer: (tensors) => infer(loaded, tensors),
    close: () => session.release(),
  };
}

async function infer(loaded: LoadedModel, tensors: NamedTensors): Promise<NamedTensors> {
  try {
    return await runModel(loaded, { tensors, feeds: toFeeds(tensors) });
  } catch (cause) {
    if (cause instanceof InferiumError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new InferiumError("ExecutionFailed", `The model failed on this input: ${message}`, { cause });
  }
}

function describe(value: LoadedModel["session"]["inputMetadata"][number]): TensorSignature {
  if (!value.isTensor) return { name: value.name, dtype: "sequence", shape: [] };
  return {
    name: value.name,
    dtype: value.type,
    shape: value.shape.map((size) => (typeof size === "number" ? size : -1)),
  };
}
