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
}

export interface CircuitRecord {
  readonly modelDigest: Digest;
  /** Rows of input in one proof. */
  readonly rows: number;
  readonly constraintCount: number;
  readonly r1csDigest: Digest;
  readonly provingKeyDigest: Digest;
  readonly verifyingKeyDigest: Digest;
  readonly verifyingKey: VerifyingKey;
  readonly ceremony: CeremonyRecord;
}
