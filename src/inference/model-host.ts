/**
 * Models that answer call after call in this process: fetched by digest, loaded once, each on a thread of its own, kept until
 * closed. Used by the model server and by a gateway that hosts a model itself. Effects: those of fetching, and the threads.
 */
import { type ArtifactRef, type ArtifactStoreOptions, createArtifactStore } from "./fetch-artifact.ts";
import type { HostedModel } from "./hosted-model.ts";
import { createModelProbe } from "./model-check/model-probe.ts";
import { openNearModel } from "./near-model.ts";
import { defaultSessionOptions, type SessionOptions } from "./session.ts";

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
      const bytes = await store.readArtifact(ref, signal);
      return openNearModel({ bytes, digest: ref.digest, session });
    },
  };
}
