/**
 * Checks somebody's proof of an inference. Nothing that came with the proof is believed: model, input commitment, result and
 * task are computed from what the verifier has itself, and the key is the one that is registered for the model. Each way to be
 * wrong has its own error. Called by validators, and by `inferium verify`. Effects: none but the backend's.
 */
import { InferiumError } from "../../base/errors.ts";
import { findForeignProof } from "../../protocol/proof.ts";
import { computePublicSignals, computeTaskSignal, type Statement } from "../statement.ts";
import type { CircuitRecord } from "./circuit-record.ts";
import { checkVerifyingKey, isCanonicalSignal, type PublicSignals, parseProof } from "./groth16.ts";
import type { ProvenInference } from "./prove-inference.ts";
import type { ProvingBackend } from "./proving-backend.ts";

export interface VerifyOptions {
  /** Development setups prove nothing to others; refused unless this says that it does not matter. */
  readonly allowDevelopmentSetup: boolean;
}

/** What a verifier must know of a registered circuit, from whomever it trusts: a CircuitRecord, or the chain. */
export type RegisteredKey = Pick<CircuitRecord, "modelDigest" | "rows" | "verifyingKey" | "verifyingKeyDigest"> & {
  readonly ceremony: Pick<CircuitRecord["ceremony"], "isDevelopment">;
};

/** The statement as the verifier knows it; the salt is the prover's, and only opens the commitment. */
export type ExpectedStatement = Omit<Statement, "salt">;

/**
 * @throws InferiumError DevelopmentSetup, AnotherTask, AnotherAttempt, AnotherWorker, AnotherModel, AnotherCircuit, InputMismatch,
 * ResultMismatch, TaskMismatch, InvalidProof
 */
export async function verifyInference(
  proven: ProvenInference,
  expected: ExpectedStatement & { readonly record: RegisteredKey },
  backend: ProvingBackend,
  { allowDevelopmentSetup }: VerifyOptions,
  signal?: AbortSignal,
): Promise<void> {
  const { record } = expected;
  checkClaims(proven, expected, allowDevelopmentSetup);
  const signals = computePublicSignals({ ...expected, salt: BigInt(proven.salt) });
  checkSignals(proven.signals.map(BigInt), signals);
  await checkPairing({ proven, signals, record }, backend, signal);
}

/**
 * The same for whoever cannot have model, input or output: the task is computed, and what the proof says of input and result is
 * taken as it is. Shows that this model gave this result on some input that has this commitment.
 * @throws as verifyInference, but for InputMismatch and ResultMismatch
 */
export async function verifyShown(
  proven: ProvenInference,
  expected: Pick<ExpectedStatement, "task"> & { readonly record: RegisteredKey },
  backend: ProvingBackend,
  { allowDevelopmentSetup }: VerifyOptions,
  signal?: AbortSignal,
): Promise<void> {
  const { record, task } = expected;
  checkClaims(proven, expected, allowDevelopmentSetup);
  const [inputCommitment, result] = proven.signals.map(BigInt);
  const signals: PublicSignals = [inputCommitment ?? 0n, result ?? 0n, computeTaskSignal(task)];
  checkSignals(proven.signals.map(BigInt), signals);
  await checkPairing({ proven, signals, record }, backend, signal);
}

function checkClaims(
  proven: ProvenInference,
  { task, record }: Pick<ExpectedStatement, "task"> & { readonly record: RegisteredKey },
  allowDevelopmentSetup: boolean,
): void {
  const foreign = findForeignProof(proven, { ...task, modelDigest: record.modelDigest });
  if (foreign) throw new InferiumError(foreign.code, foreign.message);
  checkRecord(proven, record, allowDevelopmentSetup);
}

interface Claim {
  readonly proven: ProvenInference;
  readonly signals: PublicSignals;
  readonly record: RegisteredKey;
}

async function checkPairing(
  { proven, signals, record }: Claim,
  backend: ProvingBackend,
  signal: AbortSignal | undefined,
): Promise<void> {
  const proof = parseProof(proven.proof);
  if (await backend.verify({ key: record.verifyingKey, signals, proof }, signal)) return;
  throw new InferiumError(
    "InvalidProof",
    `The proof does not show that model ${record.modelDigest} gave this result. Whoever made it is wrong or lies.`,
  );
}

function checkRecord(proven: ProvenInference, record: RegisteredKey, allowDevelopmentSetup: boolean): void {
  checkVerifyingKey(record.verifyingKey);
  if (record.ceremony.isDevelopment && !allowDevelopmentSetup) {
    throw new InferiumError(
      "DevelopmentSetup",
      `The keys of model ${record.modelDigest} come from a setup for development, whose maker can forge proofs. Register it with a ceremony, or set allowDevelopmentSetup.`,
    );
  }
  if (proven.verifyingKeyDigest === record.verifyingKeyDigest && proven.rows === record.rows) return;
  throw new InferiumError(
    "AnotherCircuit",
    `The proof is for ${proven.rows} rows and key ${proven.verifyingKeyDigest}; registered for model ${record.modelDigest} are ${record.rows} rows and key ${record.verifyingKeyDigest}.`,
  );
}

const mismatches = [
  ["InputMismatch", "commits to another input"],
  ["ResultMismatch", "shows another result"],
  ["TaskMismatch", "is bound to another task, attempt, worker or registry than it says"],
] as const;

function checkSignals(got: readonly bigint[], expected: PublicSignals): void {
  if (got.length !== expected.length || !got.every(isCanonicalSignal)) {
    throw new InferiumError(
      "InvalidProof",
      `The proof comes with ${got.length} signals, expected ${expected.length} below the field's order.`,
    );
  }
  mismatches.forEach(([code, what], index) => {
    if (got[index] === expected[index]) return;
    throw new InferiumError(code, `The proof ${what}: its signal is ${got[index]}, expected ${expected[index]}.`);
  });
}
