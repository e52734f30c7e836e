/**
 * Makes mnist-int8.proving/, the proving set-up of the demonstration's classifier, with a setup for DEVELOPMENT: whoever ran this could
 * have kept what forges proofs. Run by hand where the model or the circuits change, with the path that .ci/powers-of-tau prints.
 */
import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ProofArtifactStore } from "../../../zk/proving/artifact-store.ts";
import { developmentPowersOfTau } from "../../../zk/proving/powers-of-tau.ts";
import { registerModel } from "../../../zk/proving/register-model.ts";
import { createSnarkjsBackend } from "../../../zk/proving/snarkjs-backend.ts";
import { mnistModel, provenRows, provingFolder } from "../proving-setup.ts";

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("Give the path of the powers of tau, as .ci/powers-of-tau prints it.");
const dir = await mkdtemp(join(tmpdir(), "inferium-proving-"));
const store = new ProofArtifactStore(dir);
const backend = createSnarkjsBackend({ timeoutMs: 600_000 });
try {
  const record = await registerModel(
    {
      onnx: await readFile(mnistModel),
      rows: provenRows,
      powersOfTau: { ...developmentPowersOfTau, path },
      contributor: "inferium, for development",
    },
    { store, backend },
  );
  const target = fileURLToPath(provingFolder);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  // What a prover reads; the circuit itself anybody can compile again from the model.
  await copyFile(await store.open(record.provingKeyDigest), join(target, record.provingKeyDigest.replace(":", "-")));
  await new ProofArtifactStore(target).writeRecord(record);
  console.log(`${record.constraintCount} constraints, circuit ${record.r1csDigest}, key ${record.verifyingKeyDigest}`);
} finally {
  await backend.close();
  await rm(dir, { recursive: true, force: true });
}
