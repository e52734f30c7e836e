/**
 * Proofs through snarkjs. The committed proof of test/vectors is verified and tampered with; making keys and a new proof takes
 * the powers of tau that .ci/powers-of-tau fetches, and is skipped where they are not.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ProofArtifactStore } from "../../../src/zk/proving/artifact-store.ts";
import type { CircuitRecord } from "../../../src/zk/proving/circuit-record.ts";
import {
  proofFromWords,
  proofWords,
  verifyingKeyFromWords,
  verifyingKeyWords,
} from "../../../src/zk/proving/groth16.ts";
import { developmentPowersOfTau } from "../../../src/zk/proving/powers-of-tau.ts";
import { InferenceProver, type ProvenInference } from "../../../src/zk/proving/prove-inference.ts";
import { checkRegistration, registerModel } from "../../../src/zk/proving/register-model.ts";
import { createSnarkjsBackend } from "../../../src/zk/proving/snarkjs-backend.ts";
import { type ExpectedStatement, verifyInference } from "../../../src/zk/proving/verify-inference.ts";
import { drawBytes } from "../../support/integer-model.ts";
import { outputOf, provenCase } from "../../support/proven-case.ts";

interface Vector {
  readonly record: CircuitRecord;
  readonly proven: ProvenInference;
  readonly task: { readonly registry: string };
}

const vector: Vector = JSON.parse(readFileSync(new URL("../../vectors/zk-groth16.json", import.meta.url), "utf8"));
const { onnx, input, salt, label, score, statement } = provenCase();
const expected: ExpectedStatement = { ...statement, task: { ...statement.task, registry: vector.task.registry } };
const options = { allowDevelopmentSetup: true };
const folder = process.env.INFERIUM_ZK_CACHE ?? join(homedir(), ".cache/inferium-zk");
const powersOfTauPath = join(folder, "powersOfTau15_final.ptau");
const hasPowersOfTau = existsSync(powersOfTauPath);
if (!hasPowersOfTau)
  console.log(`setup and new proofs are not tested: no powers of tau at ${powersOfTauPath} (.ci/powers-of-tau)`);

const backend = createSnarkjsBackend({ timeoutMs: 300_000 });
afterAll(() => backend.close());

describe("a proof that somebody else made", () => {
  const verify = (proven: ProvenInference, change: Partial<ExpectedStatement> = {}, record = vector.record) =>
    verifyInference(proven, { ...expected, ...change, record }, backend, options);

  test("is accepted for what it was made for", async () => {
    await verify(vector.proven);
    checkRegistration(onnx, vector.record);
  }, 120_000);

  const task = expected.task;
  test.each<[what: string, code: string, change: Partial<ExpectedStatement>]>([
    ["another label", "ResultMismatch", { output: outputOf(label === 0 ? 1 : 0, score) }],
    ["another score", "ResultMismatch", { output: outputOf(label, score + 1) }],
    ["a score that no weights of this model give", "ResultOutOfRange", { output: outputOf(label, 2 ** 30) }],
    [
      "another input",
      "InputMismatch",
      { input: new Map([["bytes", { ...input.get("bytes")!, data: drawBytes(6, 10) }]]) },
    ],
    ["another worker", "AnotherWorker", { task: { ...task, worker: `0x${"44".repeat(20)}` } }],
    ["another attempt: an old proof", "AnotherAttempt", { task: { ...task, attempt: 2 } }],
    ["another task", "AnotherTask", { task: { ...task, taskId: `0x${"55".repeat(32)}` } }],
    ["another chain", "TaskMismatch", { task: { ...task, chainId: 1n } }],
  ])("is refused for %s", async (_, code, change) => {
    await expect(verify(vector.proven, change)).rejects.toMatchObject({ code });
  });

  test("is refused where it was relabelled to fit another attempt", async () => {
    const relabelled = verify({ ...vector.proven, attempt: 2 }, { task: { ...task, attempt: 2 } });
    await expect(relabelled).rejects.toMatchObject({ code: "TaskMismatch" });
  });

  test("is the same through the words that the chain takes", () => {
    const { proof } = vector.proven;
    expect(proofFromWords(proofWords(proof).map(String))).toEqual(proof);
    const { verifyingKey } = vector.record;
    expect(verifyingKeyFromWords(verifyingKeyWords(verifyingKey))).toEqual(verifyingKey);
  });

  test("is refused where its signals were made to fit another task", async () => {
    const other = { ...task, attempt: 2 };
    const { computeTaskSignal } = await import("../../../src/zk/statement.ts");
    const [inputCommitment, result] = vector.proven.signals;
    const signals = [inputCommitment, result, String(computeTaskSignal(other))] as const;
    await expect(verify({ ...vector.proven, attempt: 2, signals }, { task: other })).rejects.toMatchObject({
      code: "InvalidProof",
    });
  }, 120_000);

  test("is refused under the key of other weights", async () => {
    const { verifyingKey } = vector.record;
    const ic = [verifyingKey.ic[0]!, verifyingKey.ic[2]!, verifyingKey.ic[1]!, verifyingKey.ic[3]!];
    const record = { ...vector.record, verifyingKey: { ...verifyingKey, ic } };
    await expect(verify(vector.proven, {}, record)).rejects.toMatchObject({ code: "InvalidProof" });
    expect(() => checkRegistration(onnx, record)).toThrow(expect.objectContaining({ code: "VerifyingKeyMismatch" }));
  }, 120_000);

  test("is refused where it names another model, or a key that nobody contributed to", async () => {
    const modelDigest = `sha256:${"0".repeat(64)}` as const;
    await expect(verify({ ...vector.proven, modelDigest })).rejects.toMatchObject({ code: "AnotherModel" });
    const otherKey = { ...vector.proven, verifyingKeyDigest: modelDigest };
    await expect(verify(otherKey)).rejects.toMatchObject({ code: "AnotherCircuit" });
    const { verifyingKey } = vector.record;
    const record = { ...vector.record, verifyingKey: { ...verifyingKey, delta: verifyingKey.gamma } };
    await expect(verify(vector.proven, {}, record)).rejects.toMatchObject({ code: "InsecureVerifyingKey" });
  });

  test("is refused with a development setup unless that is allowed", async () => {
    const strict = verifyInference(vector.proven, { ...expected, record: vector.record }, backend, {
      allowDevelopmentSetup: false,
    });
    await expect(strict).rejects.toMatchObject({ code: "DevelopmentSetup" });
  });
});

describe.skipIf(!hasPowersOfTau)("registering and proving", () => {
  let dir: string;
  let store: ProofArtifactStore;
  let record: CircuitRecord;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "inferium-zk-"));
    store = new ProofArtifactStore(dir);
    const powersOfTau = { ...developmentPowersOfTau, path: powersOfTauPath };
    record = await registerModel({ onnx, rows: 1, powersOfTau, contributor: "test" }, { store, backend });
  }, 300_000);
  afterAll(() => rm(dir, { recursive: true, force: true }));

  test("a new proof verifies, and the circuit is the one of the committed record", async () => {
    const proven = await new InferenceProver(store, backend).prove({ onnx, input, salt, task: statement.task });
    await verifyInference(proven, { ...statement, record }, backend, options);
    expect(record.r1csDigest).toBe(vector.record.r1csDigest);
  }, 300_000);

  test("a model that is not registered for so many rows is not proven", async () => {
    const bytes = input.get("bytes")!;
    const two = new Map([["bytes", { ...bytes, shape: [2, 6], data: drawBytes(12, 1) }]]);
    const prover = new InferenceProver(store, backend);
    await expect(prover.prove({ onnx, input: two, salt, task: statement.task })).rejects.toMatchObject({
      code: "NotRegistered",
    });
  });

  test("a proof that takes too long is given up, and one that is cancelled ends at once", async () => {
    const zkeyPath = await store.open(record.provingKeyDigest);
    const hurried = createSnarkjsBackend({ timeoutMs: 1 });
    await expect(hurried.prove({ zkeyPath, witnessPath: zkeyPath })).rejects.toMatchObject({ code: "ProverTimeout" });
    await hurried.close();
    const abort = new AbortController();
    const proving = backend.prove({ zkeyPath, witnessPath: zkeyPath }, abort.signal);
    abort.abort();
    await expect(proving).rejects.toMatchObject({ code: "ProverCancelled" });
  });
});
