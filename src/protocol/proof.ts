/**
 * A proof of an inference as it travels and as the chain takes it: what it claims to show, its public signals, and its eight words.
 * The hashes are those that validators endorse and that stand in a settled task's leaf. Pure.
 */
import { AbiCoder, keccak256 } from "ethers";
import type { ValidationStatus } from "../api/v1alpha1/generated/validations.ts";
import { digestToBytes32, parseDigest } from "../base/digest.ts";
import { type ProtocolDomain, proofEndorsementTypes, recoverSigner } from "./typed-data.ts";

type ValidationProof = NonNullable<ValidationStatus["proof"]>;

/** IZkVerifier.Statement. */
export interface ProofStatement {
  readonly taskId: string;
  readonly attempt: number;
  readonly worker: string;
  /** 0x-hex of 32 bytes. */
  readonly modelDigest: string;
  /** Rows of input that the proof covers. */
  readonly rows: number;
  readonly inputCommitment: bigint;
  readonly result: bigint;
}

/** A proof with all that its maker says of it; whoever checks it believes none of that. */
export interface ProofData {
  readonly taskId: string;
  readonly attempt: number;
  readonly worker: string;
  /** `sha256:` of the model, and of the words of the verifying key. */
  readonly modelDigest: string;
  readonly verifyingKeyDigest: string;
  readonly rows: number;
  /** Opens the input's commitment; decimal. */
  readonly salt: string;
  /** Decimal: inputCommitment, result, task. */
  readonly signals: readonly [string, string, string];
  /** Decimal: A, B with imaginary parts first, C. */
  readonly words: readonly string[];
}

/** As a Validation's status holds it: without the task, attempt and worker, which its receipt names. */
export function readProof(made: ValidationProof): Omit<ProofData, "taskId" | "attempt" | "worker"> {
  const { modelDigest, verifyingKeyDigest, rows, salt, publicSignals, words } = made;
  const [inputCommitment = "", result = "", task = ""] = publicSignals;
  return { modelDigest, verifyingKeyDigest, rows, salt, signals: [inputCommitment, result, task], words };
}

const statementTypes = ["bytes32", "uint32", "address", "bytes32", "uint32", "uint256", "uint256"];

export function toStatement(proof: ProofData): ProofStatement {
  const { taskId, attempt, worker, rows, signals } = proof;
  const modelDigest = digestToBytes32(parseDigest(proof.modelDigest));
  const [inputCommitment, result] = signals;
  return {
    ...{ taskId, attempt, worker, modelDigest, rows },
    inputCommitment: BigInt(inputCommitment),
    result: BigInt(result),
  };
}

export function hashStatement(statement: ProofStatement): string {
  const { taskId, attempt, worker, modelDigest, rows, inputCommitment, result } = statement;
  const values = [taskId, attempt, worker, modelDigest, rows, inputCommitment, result];
  return keccak256(AbiCoder.defaultAbiCoder().encode(statementTypes, values));
}

export function hashProofWords(words: readonly string[]): string {
  return keccak256(AbiCoder.defaultAbiCoder().encode(Array(8).fill("uint256"), [...words]));
}

/** What a proof must be for: the work of one receipt. Addresses checksummed, digests as the receipt has them. */
export interface ProvenWork {
  readonly taskId: string;
  readonly attempt: number;
  readonly worker: string;
  readonly modelDigest: string;
}

/**
 * Why a proof is not for this work, by the name that ZkVerifier.verifyFor gives it; undefined where it says that it is. Whoever
 * lies about it is found by the signal of the task, or by the proof itself.
 */
export function findForeignProof(proof: ProvenWork, work: ProvenWork): { code: string; message: string } | undefined {
  for (const [field, code, what] of foreign) {
    if (proof[field] === work[field]) continue;
    const message = `The proof was made for ${what} ${proof[field]}; expected ${work[field]}. It proves nothing here.`;
    return { code, message };
  }
  return undefined;
}

/** The attempt before the worker: another attempt is often another worker's. */
const foreign = [
  ["taskId", "AnotherTask", "task"],
  ["attempt", "AnotherAttempt", "attempt"],
  ["worker", "AnotherWorker", "the work of"],
  ["modelDigest", "AnotherModel", "model"],
] as const;

/** The message of a validator that stands with its whole bond for this proof. */
export function endorsementOf(proof: ProofData, validator: string) {
  return { statementHash: hashStatement(toStatement(proof)), proofHash: hashProofWords(proof.words), validator };
}

/** The checksummed address that endorsed the proof as this validator, or undefined. */
export function recoverEndorser(
  domain: ProtocolDomain,
  proof: ProofData,
  { validator, signature }: { readonly validator: string; readonly signature: string },
): string | undefined {
  return recoverSigner(domain, proofEndorsementTypes, endorsementOf(proof, validator), signature);
}
