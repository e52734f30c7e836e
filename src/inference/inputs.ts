/**
 * A task's input, ready to run: inline, or a safetensors file fetched and verified by digest. Verified inputs stay in
 * memory, bounded, because a retry, an escalation or a second model often asks for the same one.
 */
import { type Digest, sha256 } from "../base/digest.ts";
import { type CutItems, cutItems } from "../protocol/shards/cut-items.ts";
import { encodeCanonical } from "../protocol/tensors/canonical.ts";
import { type InlineTensors, tensorsFromJson } from "../protocol/tensors/json.ts";
import { readSafetensors } from "../protocol/tensors/safetensors.ts";
import type { NamedTensors } from "../protocol/tensors/tensor.ts";
import type { ArtifactRef, ArtifactStore } from "./fetch-artifact.ts";
import { createLru } from "./lru.ts";
import { toFeeds } from "./run-model.ts";
import type { Feeds } from "./session-run.ts";

export type InputSource = { readonly inline: InlineTensors } | ArtifactRef;

export interface Input {
  readonly tensors: NamedTensors;
  /** The same tensors as onnxruntime takes them; views of the same bytes. */
  readonly feeds: Readonly<Feeds>;
  /** Of the file for an input by URI; of the canonical bytes for an inline one, and for items of either. */
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Answers at once where the input is in memory. */
export type InputReader = (source: InputSource, signal?: AbortSignal) => Input | Promise<Input>;

export function createInputReader(store: ArtifactStore, maxMemoryBytes: number): InputReader {
  const known = createLru<Input>(maxMemoryBytes, (input) => input.sizeBytes);
  const fetch = async (ref: ArtifactRef, signal?: AbortSignal) => {
    const input = parseFile(await store.readArtifact(ref, signal), ref.digest);
    known.set(ref.digest, input);
    return input;
  };
  return (source, signal) => {
    if ("inline" in source) return parseInline(source.inline);
    // A task may use an input only where it may read it, also when another task has fetched it.
    store.checkAllowed(source.uri);
    return known.get(source.digest) ?? fetch(source, signal);
  };
}

function parseInline(inline: InlineTensors): Input {
  return toInput(tensorsFromJson(inline));
}

/** Of a part of a file, which has no digest of its own, as of an inline input: of the canonical bytes. @throws InferiumError InvalidItems */
export function cutInput({ tensors }: Input, items: CutItems): Input {
  return toInput(cutItems(tensors, items));
}

function toInput(tensors: NamedTensors): Input {
  const bytes = encodeCanonical(tensors);
  return { tensors, feeds: toFeeds(tensors), digest: sha256(bytes), sizeBytes: bytes.byteLength };
}

function parseFile(bytes: Uint8Array, digest: Digest): Input {
  const tensors = readSafetensors(bytes);
  return { tensors, feeds: toFeeds(tensors), digest, sizeBytes: bytes.byteLength };
}
