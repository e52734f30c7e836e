/**
 * What registering a model leaves behind: digests of all that was made, the verifying key, and how its setup was done. The same
 * facts stand in ModelRegistry on the chain.
 */
import { type Digest, parseDigest } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import type { VerifyingKey } from "./groth16.ts";

export interface CeremonyRecord {
  readonly powersOfTau: Digest;
  /** Whoever contributed to the circuit's own phase, in order. */
  readonly contributors: readonly string[];
  /** Made with a setup for development: proves nothing to anybody who does not trust whoever made it. */
  readonly isDevelopment: boolean;
  /** What a whole ceremony adds (src/zk/ceremony); a key that one party made at once has none of it. */
  readonly powersOfTauName?: string;
  /** In the order of `contributors`: what each of them has published. */
  readonly contributionHashes?: readonly string[];
  readonly beacon?: { readonly value: string; readonly iterationsExponent: number; readonly source: string };
  /** Over the circuit, the first phase and every step. */
  readonly transcriptDigest?: Digest;
}

/** Of any circuit: a model's, or the tile that all dispute games share. */
export interface CircuitKeys {
  readonly constraintCount: number;
  readonly r1csDigest: Digest;
  readonly provingKeyDigest: Digest;
  readonly verifyingKeyDigest: Digest;
  readonly verifyingKey: VerifyingKey;
  readonly ceremony: CeremonyRecord;
}

export interface CircuitRecord extends CircuitKeys {
  readonly modelDigest: Digest;
  /** Rows of input in one proof. */
  readonly rows: number;
}

/** @param origin for the message @throws InferiumError InvalidRecord where what others read of it is not there */
export function parseCircuitRecord(bytes: Uint8Array, origin: string): CircuitRecord {
  try {
    const record = JSON.parse(new TextDecoder().decode(bytes)) as CircuitRecord;
    for (const field of ["modelDigest", "r1csDigest", "provingKeyDigest", "verifyingKeyDigest"] as const) {
      parseDigest(record[field]);
    }
    const { rows, ceremony, verifyingKey } = record;
    const isWhole = Number.isInteger(rows) && rows > 0 && typeof ceremony.isDevelopment === "boolean";
    if (isWhole && Array.isArray(verifyingKey.ic)) return record;
  } catch (cause) {
    throw invalid(origin, cause);
  }
  throw invalid(origin);
}

function invalid(origin: string, cause?: unknown): InferiumError {
  const message = `${origin} is no record of a circuit's keys, as \`inferium zk register\` keeps in its store (circuit-....json).`;
  return new InferiumError("InvalidRecord", message, { cause });
}
