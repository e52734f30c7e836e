/** Content digests as the API writes them: `sha256:` and 64 lower-case hex digits. */
import { hash } from "node:crypto";
import { InferiumError } from "./errors.ts";

export type Digest = `sha256:${string}`;

const pattern = /^sha256:[0-9a-f]{64}$/;

/** In one call: a hash object costs four times as much as hashing a few bytes. */
export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${hash("sha256", bytes, "hex")}`;
}

export function isDigest(value: string): value is Digest {
  return pattern.test(value);
}

/** @throws InferiumError InvalidDigest */
export function parseDigest(value: string): Digest {
  if (isDigest(value)) return value;
  throw new InferiumError("InvalidDigest", `A digest is "${value.slice(0, 80)}"; expected sha256: and 64 hex digits.`);
}

/** The 32 bytes of a digest as 0x-hex, as contracts take it. */
export function digestToBytes32(digest: Digest): string {
  return `0x${digest.slice("sha256:".length)}`;
}
