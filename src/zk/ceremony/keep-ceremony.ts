/** Takes the keys of a verified ceremony into the store, from where provers and verifiers use them. Effects: the store. */
import { copyFile, writeFile } from "node:fs/promises";
import { InferiumError } from "../../base/errors.ts";
import type { ProofArtifactStore } from "../proving/artifact-store.ts";
import type { CircuitRecord } from "../proving/circuit-record.ts";
import { digestVerifyingKey } from "../proving/groth16.ts";
import type { CeremonyCircuit } from "./ceremony-circuit.ts";
import type { VerifiedCeremony } from "./verify-ceremony.ts";

export interface KeepOptions {
  /** Keys of a setup for development are refused unless this says that it does not matter. */
  readonly allowDevelopmentSetup: boolean;
}

/** What will stand in the store. @throws InferiumError DevelopmentSetup, NotAModel */
export function buildCircuitRecord(
  { verifyingKey, keyDigest, record }: VerifiedCeremony,
  { subject, r1csDigest, constraintCount }: CeremonyCircuit,
  { allowDevelopmentSetup }: KeepOptions,
): CircuitRecord {
  if (subject.kind !== "Model") {
    throw new InferiumError(
      "NotAModel",
      "This ceremony is for the tile: its key is given to the contract of the dispute game.",
    );
  }
  if (record.isDevelopment && !allowDevelopmentSetup) {
    throw new InferiumError(
      "DevelopmentSetup",
      "This setup is for development and not secure: its powers of tau have one maker, or no beacon closed the ceremony. Use the perpetual powers of tau and a beacon, or allow it: --allow-development-setup.",
    );
  }
  return {
    modelDigest: subject.modelDigest,
    rows: subject.rows,
    constraintCount,
    r1csDigest,
    provingKeyDigest: keyDigest,
    verifyingKeyDigest: digestVerifyingKey(verifyingKey),
    verifyingKey,
    ceremony: record,
  };
}

/** @throws InferiumError AlreadyRegistered where the model was registered with other keys */
export async function keepCeremony(
  record: CircuitRecord,
  { keyPath, circuit }: { readonly keyPath: string; readonly circuit: CeremonyCircuit },
  store: ProofArtifactStore,
): Promise<void> {
  const known = await store.readRecord(record.modelDigest, record.rows);
  if (known !== undefined && known.verifyingKeyDigest !== record.verifyingKeyDigest) {
    throw new InferiumError(
      "AlreadyRegistered",
      `The store holds another key for this model and number of rows: ${known.verifyingKeyDigest}. Use another store.`,
    );
  }
  await store.withTemporary(async (path) => {
    await writeFile(path, circuit.r1cs);
    await store.keep(path);
  });
  await store.withTemporary(async (path) => {
    await copyFile(keyPath, path);
    await store.keep(path);
  });
  await store.writeRecord(record);
}
