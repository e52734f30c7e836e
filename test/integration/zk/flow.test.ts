/**
 * A proof from the duty to the chain, with the real prover, the demonstration's model and proving set-up, and contracts on a local
 * chain: one validator proves, another checks, and everything that is wrong with a proof has its own name, here and there.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { InferenceTask, Validation } from "../../../src/api/v1alpha1/types.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { digestToBytes32 } from "../../../src/base/digest.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { proveBadProof, recordProof } from "../../../src/chain/proofs.ts";
import { registerCircuit } from "../../../src/chain/registered-circuit.ts";
import type { ChainSession } from "../../../src/cli/chain/chain-session.ts";
import { runVerifyTask } from "../../../src/cli/chain/verify-task.ts";
import { type ArtifactServer, startArtifactServer } from "../../../src/embedded/demo/artifact-server.ts";
import { cutBatches, loadMnist } from "../../../src/embedded/demo/data/mnist.ts";
import { mnistModel, openProvingSetup, provenRows } from "../../../src/embedded/demo/proving-setup.ts";
import { createExecutor, type Executor } from "../../../src/inference/execute.ts";
import { createArtifactReader } from "../../../src/inference/read-artifacts.ts";
import type { ProveDuty } from "../../../src/pool/duty.ts";
import { writeInline } from "../../../src/pool/inline-tensors.ts";
import { createSigner } from "../../../src/pool/signer.ts";
import type { AttestRequest, SignedReceipt } from "../../../src/pool/wire.ts";
import { endorsementOf, hashStatement, type ProofData, toStatement } from "../../../src/protocol/proof.ts";
import { computeTaskId, hashMessage, proofEndorsementTypes, receiptTypes } from "../../../src/protocol/typed-data.ts";
import { endorseProof } from "../../../src/validator/proof/endorse-duty.ts";
import { openProofs, type ProofConfig, type Proofs } from "../../../src/validator/proof/open-proofs.ts";
import { describeRegistration } from "../../../src/zk/ceremony/describe-registration.ts";
import { checkRegistration } from "../../../src/zk/proving/register-model.ts";
import {
  aBatch,
  aTask as aSettledTask,
  aSettler,
  type ChainFixture,
  certify,
  startChain,
} from "../chain/chain-fixture.ts";

type Submission = Extract<AttestRequest, { kind: "prove" }>;

const fieldOfCurve = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
let chain: ChainFixture;
let artifacts: ArtifactServer;
let dir: string;
let executor: Executor;
let prover: Member;
let other: Member;
let item: ProveDuty["item"];
let made: Submission;
let circuit: Awaited<ReturnType<typeof openProvingSetup>>;

interface Member extends Proofs {
  readonly sent: AttestRequest[];
}

function aMember(index: number, change: Partial<ProofConfig> = {}): Member {
  const sent: AttestRequest[] = [];
  const signer = createSigner(chain.validators[index]!.privateKey);
  const { client } = chain;
  const config: ProofConfig = {
    ...{ artifactsDir: join(dir, "proofs"), timeoutMs: 120_000, maxMemoryBytes: 4 * 2 ** 30 },
    ...{ allowDevelopmentSetup: true, ...change },
  };
  const view = {
    readModelRegistry: async () => client.addresses.modelRegistry,
    readCircuit: (model: string, rows: number) => client.circuit(model, rows),
  };
  const proofs = openProofs(config, {
    client: {
      attest: async (request) => {
        sent.push(request);
        return { status: "Recorded" };
      },
    },
    ...{
      signer,
      domain: client.domain,
      execute: executor.execute,
      chain: view,
      clock: systemClock,
      logger: silentLogger,
    },
    artifacts: createArtifactReader({ cacheDir: join(dir, "cache"), allowedAddresses: ["127.0.0.0/8"] }),
  });
  return { ...proofs, sent };
}

async function aReceipt(
  change: Partial<SignedReceipt["message"]> = {},
  by = chain.workers[0]!,
): Promise<SignedReceipt> {
  const { model, input } = item;
  const execution = await executor.execute({
    model: { uri: model.uri, digest: sha256Of(model.digest) },
    input: { uri: input.uri!, digest: sha256Of(input.digest!) },
  });
  const message = {
    ...{ taskId: computeTaskId("uid"), attempt: 1, worker: by.address },
    ...{ modelDigest: digestToBytes32(execution.modelDigest), inputDigest: digestToBytes32(execution.inputDigest) },
    ...{ outputDigest: digestToBytes32(execution.outputDigest), runtime: "test", startedAtMs: 1, endedAtMs: 2 },
    ...{ imageDigest: `0x${"0".repeat(64)}`, codeDigest: `0x${"0".repeat(64)}` },
    ...change,
  };
  const signer = createSigner(by.privateKey);
  item = { ...item, output: writeInline(execution.outputs) };
  return { message, signature: await signer.signTypedData(chain.client.domain, receiptTypes, message) };
}

const sha256Of = (text: string) => text as `sha256:${string}`;
const never = new AbortController().signal;
const dutyOf = (at: ProveDuty["item"], validationId = "1"): ProveDuty => ({
  ...{ kind: "prove", namespace: "default", validation: `val-${validationId}`, validationId, item: at },
  deadlineMs: Date.now() + 120_000,
});

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-zk-flow-"));
  artifacts = await startArtifactServer();
  chain = await startChain({ parameters: { allowDevelopmentSetup: true } });
  circuit = await openProvingSetup(join(dir, "proofs"));
  await registerCircuit(chain.admin, describeRegistration(circuit));
  executor = createExecutor({ cacheDir: join(dir, "cache"), allowedAddresses: ["127.0.0.0/8"] });
  const [image] = cutBatches(await loadMnist("test"), provenRows);
  const input = artifacts.publish("image.safetensors", image!.file);
  const model = artifacts.publish("model.onnx", await readFile(mnistModel));
  item = { taskId: computeTaskId("uid"), attempt: 1, model, input, verification: { policy: "ZeroKnowledge" } } as never;
  const receipt = await aReceipt();
  item = { ...item, receipt };
  prover = aMember(0);
  other = aMember(1);
  expect(prover.prove(dutyOf(item))).toBe("Started");
  await vi.waitUntil(() => prover.sent.length > 0, { timeout: 120_000, interval: 100 });
  const [answer] = prover.sent;
  if (answer?.kind !== "prove") throw new Error(`there is no proof: ${JSON.stringify(answer)}`);
  made = answer;
}, 180_000);

afterAll(async () => {
  await Promise.all([prover?.close(), other?.close()]);
  await executor?.close();
  await artifacts?.close();
  await chain?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Anybody can: (-A)(-B) = AB. Other words, the same statement. */
function rerandomise(proof: ProofData): ProofData {
  const isY = (index: number) => index === 1 || index === 4 || index === 5;
  return { ...proof, words: proof.words.map((word, i) => (isY(i) ? String(fieldOfCurve - BigInt(word)) : word)) };
}

describe("a validator that is asked for a proof", () => {
  test("the committed set-up is of the circuit that the model compiles to", async () => {
    checkRegistration(await readFile(mnistModel), circuit);
    expect(circuit.ceremony.isDevelopment).toBe(true);
  });

  test("hands in a proof that it endorses, and another validator endorses it too", async () => {
    expect(made).toMatchObject({ kind: "prove", circuitDigest: circuit.r1csDigest, developmentSetup: true });
    const duty = { ...dutyOf(item), kind: "endorse", proof: made.proof } as const;
    const result = await endorseProof(other, duty, never);
    expect(result.declined).toBeUndefined();
    expect(other.sent.at(-1)).toMatchObject({ kind: "endorse" });
  }, 60_000);

  test("answers again from memory, and proves a worker's wrong result for nobody", async () => {
    expect(prover.prove(dutyOf(item))).toBe("Started");
    await expect.poll(() => prover.sent.length, { timeout: 10_000 }).toBe(2);
    expect(prover.sent[1]).toEqual(made);
    const wrong = { ...item, receipt: await aReceipt({ outputDigest: `0x${"dd".repeat(32)}` }) };
    prover.prove(dutyOf(wrong, "2"));
    await expect
      .poll(() => prover.sent.at(-1), { timeout: 10_000 })
      .toMatchObject({
        kind: "decline",
        reason: "ResultDisputed",
      });
  }, 60_000);

  test("declines by name without keys, and where only a development setup is registered that it does not take", async () => {
    const bare = aMember(2, { artifactsDir: undefined });
    bare.prove(dutyOf(item));
    await expect.poll(() => bare.sent[0], { timeout: 10_000 }).toMatchObject({ kind: "decline", reason: "NoProver" });
    const empty = aMember(3, { artifactsDir: join(dir, "nothing") });
    empty.prove(dutyOf(item));
    await expect.poll(() => empty.sent[0], { timeout: 10_000 }).toMatchObject({ reason: "NotRegistered" });
    const strict = aMember(4, { allowDevelopmentSetup: false });
    expect(await strict.checkProof(item, made.proof, never)).toMatchObject({ code: "DevelopmentSetup" });
    await Promise.all([bare.close(), empty.close(), strict.close()]);
  }, 60_000);
});

describe("an input that cannot be had any more", () => {
  test("is endorsed by nobody, and stops no batch whose proof others stand for", async () => {
    const gone = {
      ...item,
      input: { ...item.input, uri: `${item.input.uri}-gone`, digest: `sha256:${"7".repeat(64)}` },
    };
    const fresh = aMember(4);
    expect(await fresh.checkProof(gone, made.proof, never)).toMatchObject({ code: "NotFound" });
    expect(await fresh.checkCertified(gone, made.proof, never)).toBeUndefined();
    const [commitment, result, task] = made.proof.signals;
    const forged = { ...made.proof, signals: [commitment, String(BigInt(result) + 1n), task] as const };
    expect(await fresh.checkCertified(gone, forged, never)).toMatchObject({ code: "InvalidProof" });
    const old = { ...gone, receipt: await aReceipt({ attempt: 2 }) };
    expect(await fresh.checkCertified(old, made.proof, never)).toMatchObject({ code: "AnotherAttempt" });
    await fresh.close();
  }, 60_000);
});

describe("a proof that is not for this work", () => {
  const cases: [what: string, code: string, change: Partial<SignedReceipt["message"]>, byOther?: true][] = [
    ["another worker's proof", "AnotherWorker", {}, true],
    ["an old proof, of another attempt", "AnotherAttempt", { attempt: 2 }],
    ["a proof of another task", "AnotherTask", { taskId: computeTaskId("other") }],
    ["a proof for other weights", "AnotherModel", { modelDigest: `0x${"ab".repeat(32)}` }],
  ];

  test.each(cases)(
    "%s is refused as %s, by validators and by the chain",
    async (_, code, change, byOther) => {
      const by = byOther ? chain.workers[1]! : chain.workers[0]!;
      const receipt = await aReceipt({ ...change, worker: by.address }, by);
      const statement = toStatement(made.proof);
      await expect(chain.client.verifyProof(receipt.message, statement, made.proof.words)).rejects.toMatchObject({
        evidence: { revert: code },
      });
      // The model that a receipt names and the task does not is no match for the task itself.
      const expected = code === "AnotherModel" ? "WorkMismatch" : code;
      expect(await other.checkProof({ ...item, receipt }, made.proof, never)).toMatchObject({ code: expected });
      const foreign = { ...made.proof, modelDigest: `sha256:${"ab".repeat(32)}` };
      if (code === "AnotherModel") expect(await other.checkProof(item, foreign, never)).toMatchObject({ code });
    },
    60_000,
  );

  test("re-randomised and relabelled for another task it proves nothing, here and on the chain", async () => {
    const receipt = await aReceipt({ taskId: computeTaskId("other") });
    const relabelled = { ...rerandomise(made.proof), taskId: computeTaskId("other") };
    expect(await other.checkProof({ ...item, receipt }, relabelled, never)).toMatchObject({ code: "TaskMismatch" });
    const verifying = chain.client.verifyProof(receipt.message, toStatement(relabelled), relabelled.words);
    await expect(verifying).rejects.toMatchObject({ evidence: { revert: "InvalidProof" } });
  }, 60_000);

  test("a forged result is refused by both", async () => {
    const [commitment, result, task] = made.proof.signals;
    const forged = { ...made.proof, signals: [commitment, String(BigInt(result) + 1n), task] as const };
    expect(await other.checkProof(item, forged, never)).toMatchObject({ code: "ResultMismatch" });
    const refused = recordProof(chain.admin, forged);
    await expect(refused).rejects.toMatchObject({ evidence: { revert: "InvalidProof" } });
  });
});

describe("inferium verify task", () => {
  let task: InferenceTask;
  let validation: Validation;

  /** Settles the task with its leaf, and writes what the operator would. */
  beforeAll(async () => {
    const { message } = item.receipt;
    const digest = hashMessage(chain.client.domain, receiptTypes, message);
    const statementHash = hashStatement(toStatement(made.proof));
    const plain = aSettledTask(chain, 1);
    const leaf = { ...plain, taskId: message.taskId, worker: message.worker, receiptDigest: digest, statementHash };
    const batch = aBatch(chain, { tasks: [plain, leaf] });
    const settler = await aSettler(chain);
    await settler.settle(batch.header, await certify(chain, batch.header));
    const { signals, words, ...rest } = made.proof;
    const { circuitDigest, proveMs, developmentSetup } = made;
    const proof = {
      ...rest,
      prover: "0x",
      publicSignals: signals,
      words,
      circuitDigest,
      statementHash,
      proveMs,
      developmentSetup,
    };
    validation = { status: { proof } } as unknown as Validation;
    task = {
      metadata: { name: "proven" },
      spec: {
        requester: leaf.requester,
        model: item.model,
        input: item.input,
        verification: { policy: "ZeroKnowledge" },
      },
      status: {
        receipt: { message, signature: item.receipt.signature, digest },
        output: { digest: `sha256:${message.outputDigest.slice(2)}`, inline: item.output },
        verdict: { result: "Accepted", statementHash, notProven: ["That nobody forged it."] },
        settlement: { batch: 1, index: 1, proof: batch.taskTree.proof(1), rewardWei: leaf.rewardWei.toString() },
      },
    } as unknown as InferenceTask;
  }, 60_000);

  async function verify(shown: InferenceTask, proof: Validation | undefined) {
    const lines: string[] = [];
    const session = { client: chain.client, io: { out: (line: string) => void lines.push(line) }, options: {} };
    const status = await runVerifyTask(shown, session as unknown as ChainSession, proof);
    return { status, out: lines.join("\n") };
  }

  const withProof = (change: Partial<NonNullable<NonNullable<Validation["status"]>["proof"]>>) =>
    ({ status: { proof: { ...validation.status!.proof!, ...change } } }) as unknown as Validation;

  test("checks leaf, circuit, proof and every public signal, and says what is not proven", async () => {
    const { status, out } = await verify(task, validation);
    for (const name of ["Inclusion", "Statement", "Circuit", "Proof", "Inputs"])
      expect(out).toMatch(new RegExp(`ok +${name} `));
    expect(out).toContain("not proven: that nobody forged it");
    expect(out).not.toContain("FAILED");
    expect(status).toBe(0);
  }, 30_000);

  test("says so where the proof is gone, or the input cannot be had, and still passes by the leaf", async () => {
    expect((await verify(task, undefined)).out).toMatch(/-- +Proof +the leaf holds statement 0x\w{64}/);
    const hidden = { ...task, spec: { ...task.spec, input: { ...item.input, uri: `${item.input.uri}-gone` } } };
    const { status, out } = await verify(hidden as InferenceTask, validation);
    expect(out).toMatch(/-- +Inputs +model, input or output cannot be had here/);
    expect(status).toBe(0);
  }, 30_000);

  test.each<[check: string, proof: () => Validation, shown?: () => InferenceTask]>([
    ["Statement", () => withProof({ rows: 2 })],
    ["Circuit", () => withProof({ circuitDigest: `sha256:${"0".repeat(64)}` })],
    ["Proof", () => withProof({ words: [...validation.status!.proof!.words].reverse() })],
    ["Inputs", () => withProof({ salt: "5" })],
    [
      "Inclusion",
      () => validation,
      () => ({
        ...task,
        status: { ...task.status!, verdict: { result: "Accepted", statementHash: `0x${"1".repeat(64)}` } },
      }),
    ],
  ])(
    "fails at %s where that is not so",
    async (check, proof, shown = () => task) => {
      const { status, out } = await verify(shown(), proof());
      expect(out).toMatch(new RegExp(`FAILED +${check} `));
      expect(status).toBe(1);
    },
    30_000,
  );
});

describe("on the chain", () => {
  test("a proof is checked within the gas target and recorded once, however it is re-randomised", async () => {
    await chain.client.verifyProof(item.receipt.message, toStatement(made.proof), made.proof.words);
    const { gasUsed } = await recordProof(chain.admin, made.proof);
    expect(Number(gasUsed)).toBeLessThan(300_000);
    const again = rerandomise(made.proof);
    expect(await other.checkProof(item, again, never)).toBeUndefined();
    await expect(recordProof(chain.admin, again)).rejects.toMatchObject({ evidence: { revert: "AlreadyProven" } });
  }, 60_000);

  test("who endorsed a false statement loses everything, who endorsed a true one nothing", async () => {
    const liar = chain.validators[5]!;
    const [commitment, result, task] = made.proof.signals;
    const forged = { ...made.proof, signals: [commitment, String(BigInt(result) + 1n), task] as const };
    const sign = (wallet: Wallet | (typeof chain.validators)[number], proof: ProofData) =>
      createSigner(wallet.privateKey).signTypedData(
        chain.client.domain,
        proofEndorsementTypes,
        endorsementOf(proof, wallet.address),
      );
    const evidence = { proof: forged, validator: liar.address, signature: await sign(liar, forged) };
    await proveBadProof(chain.admin, evidence);
    expect(await chain.client.node(liar.address)).toMatchObject({ state: "Disqualified", stakeWei: 0n });
    expect(await chain.client.validators(await chain.client.epoch())).not.toContain(liar.address);
    await expect(proveBadProof(chain.admin, evidence)).rejects.toMatchObject({
      evidence: { revert: "AlreadySlashed" },
    });
    const honest = { proof: made.proof, validator: chain.validators[0]!.address, signature: made.signature };
    await expect(proveBadProof(chain.admin, honest)).rejects.toMatchObject({
      evidence: { revert: "ProofIsValid" },
    });
  }, 60_000);
});
