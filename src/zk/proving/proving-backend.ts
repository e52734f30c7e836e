/**
 * What makes and checks Groth16 proofs. snarkjs-backend.ts implements it; a native prover can, over the same files. Every call
 * may be cancelled and ends within the backend's time limit.
 */
import type { Groth16Proof, VerifyingKey } from "./groth16.ts";

export interface KeyFiles {
  readonly r1csPath: string;
  readonly powersOfTauPath: string;
  /** Where the proving key is written. */
  readonly zkeyPath: string;
}

export interface SetupFiles extends KeyFiles {
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

export interface ContributionFiles {
  readonly fromPath: string;
  readonly zkeyPath: string;
  readonly contributor: string;
  /** Added to the randomness of the machine; can make nothing worse. */
  readonly entropy?: string;
}

export interface BeaconFiles {
  readonly fromPath: string;
  readonly zkeyPath: string;
  readonly name: string;
  /** Hex without a prefix, at most 255 bytes. */
  readonly value: string;
  /** The value is hashed 2^this times, 10 to 63. */
  readonly iterationsExponent: number;
}

export interface StepFiles {
  readonly initialKeyPath: string;
  readonly powersOfTauPath: string;
  readonly zkeyPath: string;
}

/** The second phase of a setup, made by many parties one after another. snarkjs-backend.ts implements it. */
export interface CeremonyBackend {
  /** The first key, which everybody can compute and nobody may use. */
  startKey(files: KeyFiles, signal?: AbortSignal): Promise<void>;
  /** @returns the contribution's hash in hex */
  contribute(files: ContributionFiles, signal?: AbortSignal): Promise<string>;
  /** @returns the contribution's hash in hex */
  applyBeacon(files: BeaconFiles, signal?: AbortSignal): Promise<string>;
  /** @returns what is wrong with the key; nothing where each step from the first key to it is proven */
  checkSteps(files: StepFiles, signal?: AbortSignal): Promise<readonly string[]>;
  exportKey(zkeyPath: string, signal?: AbortSignal): Promise<VerifyingKey>;
}
