/**
 * The digest of an execution's outputs, as protocol/tensors/canonical.ts defines it. Hashed in one call: for outputs of
 * a few kilobytes, a hash object costs as much again as the hashing, and garbage after it.
 */
import { hash } from "node:crypto";
import type { Digest } from "../base/digest.ts";
import { useCanonical } from "../protocol/tensors/canonical.ts";
import type { NamedTensors } from "../protocol/tensors/tensor.ts";

export function digestOutputs(outputs: NamedTensors): Digest {
  return useCanonical(outputs, sha256AtOnce);
}

function sha256AtOnce(bytes: Uint8Array): Digest {
  return `sha256:${hash("sha256", bytes, "hex")}`;
}
