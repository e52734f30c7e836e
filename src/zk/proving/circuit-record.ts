/**
 * What registering a model leaves behind: digests of all that was made, the verifying key, and how its setup was done. The same
 * facts stand in ModelRegistry on the chain.
 */
import type { Digest } from "../../base/digest.ts";
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
