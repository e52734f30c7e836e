/**
 * Keys of the tile that dispute games share, made from the development powers of tau and kept in a store. Made once, and then taken from the
 * folder of the powers of tau: they are the same for every test. For tests. Effects: that folder.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256 } from "../../src/base/digest.ts";
import { type CeremonyCircuit, compileTileCircuit } from "../../src/zk/ceremony/ceremony-circuit.ts";
import { keepCeremony } from "../../src/zk/ceremony/keep-ceremony.ts";
import type { ProofArtifactStore } from "../../src/zk/proving/artifact-store.ts";
import type { CircuitKeys } from "../../src/zk/proving/circuit-record.ts";
import { digestVerifyingKey } from "../../src/zk/proving/groth16.ts";
import { developmentPowersOfTau } from "../../src/zk/proving/powers-of-tau.ts";
import type { CeremonyBackend } from "../../src/zk/proving/proving-backend.ts";
import { withFirstKey } from "./first-key.ts";
import { powersOfTauPath } from "./powers-of-tau.ts";

export function makeTileKeys(store: ProofArtifactStore, backend: CeremonyBackend): Promise<CircuitKeys> {
  const circuit = compileTileCircuit();
  return store.withTemporary(async (keyPath) => {
    await copyKey(keyPath, circuit, backend);
    const verifyingKey = await backend.exportKey(keyPath);
    const made: CircuitKeys = {
      constraintCount: circuit.constraintCount,
      r1csDigest: circuit.r1csDigest,
      provingKeyDigest: sha256(await readFile(keyPath)),
      verifyingKeyDigest: digestVerifyingKey(verifyingKey),
      verifyingKey,
      ceremony: { powersOfTau: developmentPowersOfTau.digest, contributors: ["test"], isDevelopment: true },
    };
    await keepCeremony(made, { keyPath, circuit }, store);
    return made;
  });
}

async function copyKey(keyPath: string, circuit: CeremonyCircuit, backend: CeremonyBackend): Promise<void> {
  const folder = join(dirname(powersOfTauPath), "first-keys");
  const kept = join(folder, `${circuit.r1csDigest.slice(7)}.contributed.zkey`);
  if (existsSync(kept)) return copyFile(kept, keyPath);
  const [r1csPath, initialPath] = [`${keyPath}.r1cs`, `${keyPath}.initial`];
  await writeFile(r1csPath, circuit.r1cs);
  await withFirstKey(backend).startKey({ r1csPath, powersOfTauPath, zkeyPath: initialPath });
  await backend.contribute({ fromPath: initialPath, zkeyPath: keyPath, contributor: "test" });
  await mkdir(folder, { recursive: true });
  // Tests of other processes may make one too; either serves.
  const temporary = `${kept}.${randomUUID()}`;
  await copyFile(keyPath, temporary);
  await rename(temporary, kept);
}
