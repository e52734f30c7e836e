/**
 * What makes and checks Groth16 proofs. snarkjs-backend.ts implements it; a native prover can, over the same files. Every call
 * may be cancelled and ends within the backend's time limit.
 */
import type { Groth16Proof, VerifyingKey } from "./groth16.ts";

export interface SetupFiles {
  readonly r1csPath: string;
  readonly powersOfTauPath: string;
  /** Where the proving key is written. */
  readonly zkeyPath: string;
  /** Named in the key's transcript. */
  readonly contributor: string;
}

export interface ProvingFiles {
  readonly zkeyPath: string;
  readonly witnessPath: string;
}

export interface ProofCheck {
  readonly key: VerifyingKey;
  readonly signals: readonly bigint[];
  readonly proof: Groth16Proof;
}

export interface ProvingBackend {
  /** For records and logs. */
  readonly name: string;
  /** The key of a circuit, with one contribution of fresh randomness that is forgotten. */
  setUp(files: SetupFiles, signal?: AbortSignal): Promise<VerifyingKey>;
  prove(files: ProvingFiles, signal?: AbortSignal): Promise<{ proof: Groth16Proof; signals: bigint[] }>;
  verify(check: ProofCheck, signal?: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}
