/**
 * Checks somebody's proof of an inference. Nothing that came with the proof is believed: model, input commitment, result and
 * task are computed from what the verifier has itself, and the key is the one that is registered for the model. Each way to be
 * wrong has its own error. Called by validators, and by `inferium verify`. Effects: none but the backend's.
 */
import { InferiumError } from "../../base/errors.ts";
import { computePublicSignals, type Statement } from "../statement.ts";
import type { CircuitRecord } from "./circuit-record.ts";
import { checkVerifyingKey, isCanonicalSignal, type PublicSignals, parseProof } from "./groth16.ts";
import type { ProvenInference } from "./prove-inference.ts";
import type { ProvingBackend } from "./proving-backend.ts";

export interface VerifyOptions {
  /** Development setups prove nothing to others; refused unless this says that it does not matter. */
  readonly allowDevelopmentSetup: boolean;
}

/** The statement as the verifier knows it; the salt is the prover's, and only opens the commitment. */
export type ExpectedStatement = Omit<Statement, "salt">;

/**
 * @throws InferiumError DevelopmentSetup, ModelMismatch, InputMismatch, ResultMismatch, TaskMismatch, InvalidProof
 */
export async function verifyInference(
  proven: ProvenInference,
  expected: ExpectedStatement & { readonly record: CircuitRecord },
  backend: ProvingBackend,
  { allowDevelopmentSetup }: VerifyOptions,
  signal?: AbortSignal,
): Promise<void> {
  const { record } = expected;
  checkRecord(proven, record, allowDevelopmentSetup);
  const signals = computePublicSignals({ ...expected, salt: BigInt(proven.salt) });
  checkSignals(proven.signals.map(BigInt), signals);
  const proof = parseProof(proven.proof);
  if (await backend.verify({ key: record.verifyingKey, signals, proof }, signal)) return;
  throw new InferiumError(
    "InvalidProof",
    `The proof does not show that model ${record.modelDigest} gave this result. Whoever made it is wrong or lies.`,
  );
}

function checkRecord(proven: ProvenInference, record: CircuitRecord, allowDevelopmentSetup: boolean): void {
  checkVerifyingKey(record.verifyingKey);
  if (record.ceremony.isDevelopment && !allowDevelopmentSetup) {
    throw new InferiumError(
      "DevelopmentSetup",
      `The keys of model ${record.modelDigest} come from a setup for development, whose maker can forge proofs. Register it with a ceremony, or set allowDevelopmentSetup.`,
    );
  }
  const isSameKey = proven.verifyingKeyDigest === record.verifyingKeyDigest && proven.rows === record.rows;
  if (proven.modelDigest === record.modelDigest && isSameKey) return;
  throw new InferiumError(
    "ModelMismatch",
    `The proof is for model ${proven.modelDigest} (${proven.rows} rows, key ${proven.verifyingKeyDigest}); expected ${record.modelDigest} (${record.rows} rows, key ${record.verifyingKeyDigest}).`,
  );
}

const mismatches = [
  ["InputMismatch", "commits to another input"],
  ["ResultMismatch", "shows another result"],
  ["TaskMismatch", "was made for another task, attempt or worker"],
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
