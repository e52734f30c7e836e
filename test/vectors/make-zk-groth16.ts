/**
 * Makes zk-groth16.json: a verifying key, an honest proof by src/zk and what it was made for, for the tests of contracts and of
 * the verifier. Run by hand where circuits or statements change, with the path of the development powers of tau (.ci/powers-of-tau).
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCreateAddress } from "ethers";
import { ProofArtifactStore } from "../../src/zk/proving/artifact-store.ts";
import { proofWords, verifyingKeyWords } from "../../src/zk/proving/groth16.ts";
import { developmentPowersOfTau } from "../../src/zk/proving/powers-of-tau.ts";
import { InferenceProver } from "../../src/zk/proving/prove-inference.ts";
import { registerModel } from "../../src/zk/proving/register-model.ts";
import { createSnarkjsBackend } from "../../src/zk/proving/snarkjs-backend.ts";
import { provenCase } from "../support/proven-case.ts";

const path = process.argv[2];
if (path === undefined) throw new Error("Give the path of the powers of tau, as .ci/powers-of-tau prints it.");
const dir = await mkdtemp(join(tmpdir(), "inferium-zk-"));
const store = new ProofArtifactStore(dir);
const backend = createSnarkjsBackend({ timeoutMs: 600_000 });
try {
  const { onnx, input, salt, statement } = provenCase();
  // forge gives every test contract this address, and the registry is the first that it creates.
  const registry = getCreateAddress({ from: "0x7FA9385bE102ac3EAc297483Dd6233D62b3e1496", nonce: 1 });
  const task = { ...statement.task, registry };
  const powersOfTau = { ...developmentPowersOfTau, path };
  const record = await registerModel({ onnx, rows: 1, powersOfTau, contributor: "test" }, { store, backend });
  const proven = await new InferenceProver(store, backend).prove({ onnx, input, salt, task });
  const vector = {
    task: { ...task, chainId: Number(task.chainId) },
    record,
    proven,
    modelDigest: `0x${record.modelDigest.slice(7)}`,
    key: verifyingKeyWords(record.verifyingKey).map(toWord),
    signals: proven.signals.map((signal) => toWord(BigInt(signal))),
    proof: proofWords(proven.proof).map(toWord),
  };
  await writeFile(new URL("./zk-groth16.json", import.meta.url), `${JSON.stringify(vector, undefined, 2)}\n`);
} finally {
  await backend.close();
  await rm(dir, { recursive: true, force: true });
}

function toWord(value: bigint): string {
  return `0x${value.toString(16).padStart(64, "0")}`;
}
