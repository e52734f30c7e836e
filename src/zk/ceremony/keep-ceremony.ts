/** Takes the keys of a verified ceremony into the store, from where provers and verifiers use them. Effects: the store. */
import { copyFile, writeFile } from "node:fs/promises";
import { InferiumError } from "../../base/errors.ts";
import type { ProofArtifactStore } from "../proving/artifact-store.ts";
import type { CircuitKeys } from "../proving/circuit-record.ts";
import { digestVerifyingKey } from "../proving/groth16.ts";
import type { CeremonyCircuit } from "./ceremony-circuit.ts";
import type { VerifiedCeremony } from "./verify-ceremony.ts";

export interface KeepOptions {
  /** Keys of a setup for development are refused unless this says that it does not matter. */
  readonly allowDevelopmentSetup: boolean;
}

/** What will stand in the store, of a model or of the tile. @throws InferiumError DevelopmentSetup */
export function buildKeys(
  { verifyingKey, keyDigest, record }: VerifiedCeremony,
  { r1csDigest, constraintCount }: CeremonyCircuit,
  { allowDevelopmentSetup }: KeepOptions,
): CircuitKeys {
  if (record.isDevelopment && !allowDevelopmentSetup) {
    throw new InferiumError(
      "DevelopmentSetup",
      "This setup is for development and not secure: its powers of tau have one maker, or no beacon closed the ceremony. Use the perpetual powers of tau and a beacon, or allow it: --allow-development-setup.",
    );
  }
  return {
    constraintCount,
    r1csDigest,
    provingKeyDigest: keyDigest,
    verifyingKeyDigest: digestVerifyingKey(verifyingKey),
    verifyingKey,
    ceremony: record,
  };
}

interface CeremonyFiles {
  readonly keyPath: string;
  readonly circuit: CeremonyCircuit;
}

/** @throws InferiumError AlreadyRegistered where the circuit was registered with other keys */
export async function keepCeremony(
  keys: CircuitKeys,
  { keyPath, circuit }: CeremonyFiles,
  store: ProofArtifactStore,
): Promise<void> {
  const { subject } = circuit;
  const isModel = subject.kind === "Model";
  const known = isModel ? await store.readRecord(subject.modelDigest, subject.rows) : await store.readTileKeys();
  if (known !== undefined && known.verifyingKeyDigest !== keys.verifyingKeyDigest) {
    const what = isModel ? "this model and number of rows" : "the tile";
    throw new InferiumError(
      "AlreadyRegistered",
      `The store holds another key for ${what}: ${known.verifyingKeyDigest}. Use another store.`,
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
  if (isModel) await store.writeRecord({ ...keys, modelDigest: subject.modelDigest, rows: subject.rows });
  else await store.writeTileKeys(keys);
}
