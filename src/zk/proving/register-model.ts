/**
 * Registers a model: compiles its circuit, makes the keys and keeps all of it by digest. Done once for a model and number of rows,
 * never on a task's path. Anybody can compile the circuit again and compare (`checkRegistration`). Effects: the store.
 */
import { writeFile } from "node:fs/promises";
import { type Digest, sha256 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { compileInference } from "../circuit/inference-circuit.ts";
import { readIntegerNetwork } from "../network/from-onnx.ts";
import type { ProofArtifactStore } from "./artifact-store.ts";
import type { CircuitRecord } from "./circuit-record.ts";
import { checkVerifyingKey, digestVerifyingKey } from "./groth16.ts";
import { checkPowersOfTau, type PowersOfTau } from "./powers-of-tau.ts";
import type { ProvingBackend } from "./proving-backend.ts";

/** Constraints that Groth16 adds for the constant and the three public signals. */
const publicRows = 4;

export interface Registration {
  readonly onnx: Uint8Array;
  readonly rows: number;
  readonly powersOfTau: PowersOfTau & { readonly path: string };
  readonly contributor: string;
}

export interface RegistrationTools {
  readonly store: ProofArtifactStore;
  readonly backend: ProvingBackend;
}

/** @throws InferiumError of readIntegerNetwork, CircuitTooLarge, UnknownPowersOfTau and of the backend */
export async function registerModel(
  { onnx, rows, powersOfTau, contributor }: Registration,
  { store, backend }: RegistrationTools,
  signal?: AbortSignal,
): Promise<CircuitRecord> {
  const modelDigest = sha256(onnx);
  const known = await store.readRecord(modelDigest, rows);
  if (known !== undefined) return known;
  const circuit = compileInference(readIntegerNetwork(onnx), rows);
  checkSize(circuit.constraintCount, powersOfTau);
  await checkPowersOfTau(powersOfTau.path, powersOfTau);
  return store.withTemporary(async (r1csPath) => {
    await writeFile(r1csPath, circuit.encodeR1cs());
    return store.withTemporary(async (zkeyPath) => {
      const files = { r1csPath, powersOfTauPath: powersOfTau.path, zkeyPath, contributor };
      const verifyingKey = await backend.setUp(files, signal);
      checkVerifyingKey(verifyingKey);
      const record: CircuitRecord = {
        modelDigest,
        rows,
        constraintCount: circuit.constraintCount,
        r1csDigest: await store.keep(r1csPath),
        provingKeyDigest: await store.keep(zkeyPath),
        verifyingKeyDigest: digestVerifyingKey(verifyingKey),
        verifyingKey,
        ceremony: {
          powersOfTau: powersOfTau.digest,
          contributors: [contributor],
          isDevelopment: powersOfTau.isDevelopment,
        },
      };
      await store.writeRecord(record);
      return record;
    });
  });
}

/**
 * Does this record speak of this model's circuit? Compiles it again.
 * @throws InferiumError ModelMismatch, CircuitMismatch, InsecureVerifyingKey
 */
export function checkRegistration(onnx: Uint8Array, record: CircuitRecord): void {
  checkSame("ModelMismatch", "model", sha256(onnx), record.modelDigest);
  const circuit = compileInference(readIntegerNetwork(onnx), record.rows);
  checkSame("CircuitMismatch", "model's circuit", sha256(circuit.encodeR1cs()), record.r1csDigest);
  checkSame(
    "VerifyingKeyMismatch",
    "verifying key",
    digestVerifyingKey(record.verifyingKey),
    record.verifyingKeyDigest,
  );
  checkVerifyingKey(record.verifyingKey);
}

function checkSame(code: string, what: string, got: Digest, recorded: Digest): void {
  if (got === recorded) return;
  throw new InferiumError(code, `The ${what} is ${got}; the record says ${recorded}. Do not trust this record.`);
}

function checkSize(constraints: number, { power, name }: PowersOfTau): void {
  if (constraints + publicRows <= 2 ** power) return;
  throw new InferiumError(
    "CircuitTooLarge",
    `The circuit has ${constraints} constraints; ${name} serves up to ${2 ** power - publicRows}. Prove fewer rows at once or use larger powers of tau.`,
  );
}
