/**
 * What stands for a call's input and output in the task that settles its window: the tensors themselves where the model can
 * be run again, or the SHA-256 of the bodies where it cannot: prompts and answers then stay with those who sent and got
 * them, however long they are. Used by all who make or check windows. Pure.
 */
import { type Digest, isDigest } from "../base/digest.ts";
import { digestTensors } from "./tensors/canonical.ts";
import { createTensor, type NamedTensors } from "./tensors/tensor.ts";

/** Tensors of the Open Inference Protocol; digests of bodies of OpenAI's API. */
export type CallContentKind = "Tensors" | "Digests";

/** The one tensor of a call that is known by its digest alone. */
const name = "sha256";

/** @param digest of the body, as the call's leaf has it */
export function tensorOfDigest(digest: string): NamedTensors {
  const bytes = new Uint8Array(Buffer.from(isDigest(digest) ? digest.slice("sha256:".length) : "", "hex"));
  return new Map([[name, createTensor("uint8", [32], bytes, `digest ${digest.slice(0, 80)}`)]]);
}

/** What the call's leaf must say; undefined where the tensors are none of this kind. */
export function digestContents(kind: CallContentKind, tensors: NamedTensors): Digest | undefined {
  if (kind === "Tensors") return digestTensors(tensors);
  const tensor = tensors.get(name);
  if (tensor?.dtype !== "uint8" || tensors.size !== 1 || tensor.data.byteLength !== 32) return undefined;
  return `sha256:${Buffer.from(tensor.data).toString("hex")}`;
}
