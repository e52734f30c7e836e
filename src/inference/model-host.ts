/**
 * Models that answer call after call in this process: fetched by digest, loaded once, kept until closed. Used by the model
 * server and by a gateway that hosts a model itself. Effects: those of fetching, and the computation.
 */
import type { Digest } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";
import type { NamedTensors } from "../protocol/tensors/tensor.ts";
import { type ArtifactRef, type ArtifactStoreOptions, createArtifactStore } from "./fetch-artifact.ts";
import { createModelProbe } from "./model-check/model-probe.ts";
import { runModel, toFeeds } from "./run-model.ts";
import { formatRuntime } from "./runtime.ts";
import { defaultSessionOptions, type LoadedModel, loadModel, type SessionOptions } from "./session.ts";

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

export interface ModelHostOptions extends ArtifactStoreOptions {
  readonly session?: Partial<SessionOptions>;
  /** Whether a model is tried in a process of its own before its first load here. */
  readonly probeModels?: boolean;
}

export interface ModelHost {
  /** @throws InferiumError of fetching, InvalidModel, ProviderUnavailable */
  open(ref: ArtifactRef, signal?: AbortSignal): Promise<HostedModel>;
}

export function createModelHost(options: ModelHostOptions): ModelHost {
  const store = createArtifactStore(options);
  const session = { ...defaultSessionOptions, ...options.session };
  const probe = options.probeModels ? createModelProbe() : undefined;
  return {
    open: async (ref, signal) => {
      await probe?.(await store.fetchArtifact(ref, signal), signal);
      const loaded = await loadModel(await store.readArtifact(ref, signal), session);
      return hostModel(ref.digest, loaded);
    },
  };
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
