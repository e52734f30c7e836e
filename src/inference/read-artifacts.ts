/**
 * A task's model and input as bytes and tensors, for whoever proves or checks a proof instead of running the model: fetched and
 * verified by digest under the same policy, from the same cache folder.
 */
import { type ArtifactRef, type ArtifactStoreOptions, createArtifactStore } from "./fetch-artifact.ts";
import { createInputReader, type Input, type InputSource } from "./inputs.ts";

export interface ArtifactReader {
  /** Throws as ArtifactStore.readArtifact. */
  readModel(ref: ArtifactRef, signal?: AbortSignal): Promise<Uint8Array>;
  /** @throws InferiumError of fetching and of tensors */
  readInput(source: InputSource, signal?: AbortSignal): Promise<Input>;
}

const inputMemoryBytes = 16 * 2 ** 20;

export function createArtifactReader(options: ArtifactStoreOptions): ArtifactReader {
  const store = createArtifactStore(options);
  const readInput = createInputReader(store, inputMemoryBytes);
  return {
    readModel: (ref, signal) => store.readArtifact(ref, signal),
    readInput: async (source, signal) => readInput(source, signal),
  };
}
