/**
 * What a step of the second phase is drawn from: ChaCha, as snarkjs seeds it, so that a beacon's step is the same whoever computes it.
 * Called by set-up.ts. Effects: the machine's randomness, for a contribution.
 */
import { createHash, hash, randomBytes } from "node:crypto";
import { ChaCha } from "ffjavascript";

/** @param entropy added to the machine's randomness; can make nothing worse @param drawn for tests */
export function drawRandomness(entropy: string, drawn: Uint8Array = randomBytes(64)): ChaCha {
  return seed(createHash("blake2b512").update(drawn).update(entropy).digest());
}

/** The beacon's value, hashed 2^exponent times. */
export function hashBeacon(value: Uint8Array, iterationsExponent: number): ChaCha {
  let hashed: Uint8Array = value;
  for (let iteration = 0; iteration < 2 ** iterationsExponent; iteration++) hashed = hash("sha256", hashed, "buffer");
  return seed(hashed);
}

/** The first 256 bits, as big-endian words. */
export function seed(bytes: Uint8Array): ChaCha {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new ChaCha(Array.from({ length: 8 }, (_, word) => view.getUint32(4 * word)));
}
