/** Keys of the tile that dispute games share, made from the development powers of tau and kept in a store. For tests. */
import { readFile, writeFile } from "node:fs/promises";
import { sha256 } from "../../src/base/digest.ts";
import { compileTileCircuit } from "../../src/zk/ceremony/ceremony-circuit.ts";
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
  const keys = withFirstKey(backend);
  return store.withTemporary(async (keyPath) => {
    const [r1csPath, initialPath] = [`${keyPath}.r1cs`, `${keyPath}.initial`];
    await writeFile(r1csPath, circuit.r1cs);
    await keys.startKey({ r1csPath, powersOfTauPath, zkeyPath: initialPath });
    await keys.contribute({ fromPath: initialPath, zkeyPath: keyPath, contributor: "test" });
    const verifyingKey = await keys.exportKey(keyPath);
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
