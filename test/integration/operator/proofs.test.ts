/** Policy ZeroKnowledge through the operator, with scripted members: what is proven, what falls back, what is refused by name. */

import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { registerCircuit } from "../../../src/chain/registered-circuit.ts";
import { createClient } from "../../../src/kube/client.ts";
import { events } from "../../../src/kube/core-resources.ts";
import type { Duty } from "../../../src/pool/duty.ts";
import { hashStatement, toStatement } from "../../../src/protocol/proof.ts";
import { aTask, type Cluster, model, type RunningOperator, startCluster, startOperator } from "./operator-fixture.ts";
import { aProof, type Running, runValidator, runWorker, type ValidatorScript } from "./scripted-members.ts";

const validators = ["v1", "v2", "v3"];
let cluster: Cluster;
let operator: RunningOperator;
const running: Running[] = [];

beforeAll(async () => {
  cluster = await startCluster({ workers: ["w1"], validators });
  await cluster.order("order");
}, 60_000);

afterEach(async () => {
  await Promise.all(running.splice(0).map((member) => member.stop()));
  await operator?.stop();
});

afterAll(() => cluster?.close());

const verification = { policy: "ZeroKnowledge", validators: 3, quorum: 2 } as const;
const read = (name: string) => cluster.tasks.get({ namespace: "default", name });

/** Runs one task to its end. */
async function settle(name: string, script: ValidatorScript = {}) {
  operator = await startOperator(cluster);
  const members = validators.map((validator) => runValidator(cluster, operator, validator, { script }));
  running.push(runWorker(cluster, operator, "w1"), ...members);
  await cluster.tasks.create(aTask(name, { verification }));
  await expect.poll(async () => (await read(name)).status?.phase, { timeout: 30_000 }).toBe("Succeeded");
  const task = await read(name);
  const validation = await cluster.validations.get({
    namespace: "default",
    name: task.status?.verdict?.validation ?? "",
  });
  const condition = (type: string) => task.status?.conditions?.find((one) => one.type === type);
  return { status: task.status!, validation, condition, duties: members.flatMap(({ duties }) => duties) };
}

describe("policy ZeroKnowledge", () => {
  test("one validator proves, the others endorse, nobody votes, and the task's leaf holds what was proven", async () => {
    const { status, validation, condition, duties } = await settle("proven");
    expect(duties.filter((kind) => kind === "prove")).toHaveLength(1);
    expect(duties).not.toContain("validate");
    expect(condition("Proven")).toMatchObject({ status: "True", reason: "ProofVerified" });
    expect(condition("Validated")).toMatchObject({ status: "True", reason: "ProofVerified" });
    const { proof, validators: members } = validation.status!;
    expect(members?.map(({ state }) => state)).toEqual(["Endorsed", "Endorsed", "Endorsed"]);
    const { taskId, attempt, worker } = status.receipt!.message;
    const statement = {
      ...aProof({ item: { receipt: status.receipt!, model: { digest: proof!.modelDigest } } } as never),
    };
    expect(proof).toMatchObject({ rows: 1, publicSignals: ["1", "2", "3"], developmentSetup: true });
    expect(proof?.statementHash).toBe(hashStatement(toStatement(statement)));
    expect(status.verdict).toMatchObject({ policy: "ZeroKnowledge", accept: 3, statementHash: proof?.statementHash });
    expect(status.verdict?.notProven?.join()).toContain("setup for development");
    const header = await cluster.chain.lastBatch();
    expect(header.sequence).toBe(BigInt(status.settlement!.batch));
    expect([taskId, attempt, worker]).toEqual([statement.taskId, 1, cluster.member("w1").signer.address]);
  });

  test("a proof decides also where somebody has written on the Validation meanwhile", async () => {
    const body = { metadata: { annotations: { "example.com/seen": "yes" } } };
    const onDuty = async (duty: Duty) => {
      if (duty.kind === "prove")
        await cluster.validations.patch({ namespace: "default", name: duty.validation }, { kind: "merge", body });
      return "answer" as const;
    };
    const { status, validation } = await settle("written-on", { onDuty });
    expect(validation.metadata.annotations).toEqual(body.metadata.annotations);
    expect(status.verdict).toMatchObject({ policy: "ZeroKnowledge", accept: 3 });
  });

  test("a prover that cannot leaves it to the votes, and the task and an Event say why", async () => {
    const because = { reason: "NotRegistered", message: "No circuit here." };
    const { status, validation, condition, duties } = await settle("voted", { prove: () => because });
    expect(duties).toContain("validate");
    expect(condition("Proven")).toMatchObject({ status: "False", ...because });
    expect(condition("Validated")).toMatchObject({ status: "True", reason: "QuorumAccepted" });
    expect(status.verdict).toMatchObject({ policy: "Exact", result: "Accepted" });
    expect(status.verdict?.notProven?.join()).toContain("the panel re-executed (NotRegistered)");
    expect(validation.status?.proof).toBeUndefined();
    const reasons = async () =>
      (await createClient(cluster.transport, events).list({ namespace: "default" })).items
        .filter(({ regarding }) => regarding?.name === "voted")
        .map(({ reason }) => reason);
    await expect.poll(reasons, { timeout: 10_000 }).toContain("NotProven");
  });

  test("a proof that the others do not stand for decides nothing", async () => {
    const decline = () => ({ reason: "InvalidProof", message: "It does not hold." });
    const { validation, condition } = await settle("doubted", { decline });
    expect(condition("Proven")).toMatchObject({ status: "False", reason: "ProofNotEndorsed" });
    expect(validation.status?.proof).toBeUndefined();
  });

  test("a proof of another attempt is refused, and the panel votes when the time is over", async () => {
    const { condition } = await settle("old", { prove: (duty) => aProof(duty, { attempt: 7 }) });
    expect(condition("Proven")).toMatchObject({ status: "False", reason: "ProofTimedOut" });
  }, 60_000);

  test("a task that no proof can cover is refused when it is created", async () => {
    const steps = { count: 2, tensors: ["x"] };
    const inline = { x: { dtype: "int32" as const, shape: [2], data: [3, 4] } };
    const create = (change: Parameters<typeof aTask>[1]) => cluster.tasks.create(aTask("bad", change));
    await expect(create({ verification, input: { inline, steps } })).rejects.toThrow("takes no input.steps");
    await expect(create({ verification: { ...verification, validators: 1, quorum: 1 } })).rejects.toThrow(
      "needs a quorum of at least 2",
    );
    const tolerance = { absolute: 0.1, relative: 0 };
    await expect(create({ verification: { ...verification, tolerance } })).rejects.toThrow("takes no tolerance");
  });

  test("a validator that stands for a proof which does not hold loses its bond and its seat", async () => {
    const { key, modelDigest } = JSON.parse(await readFile("test/vectors/zk-groth16.json", "utf8"));
    const facts = {
      r1csDigest: modelDigest,
      powersOfTau: modelDigest,
      ceremonyDigest: modelDigest,
      isDevelopment: false,
    };
    const circuit = { ...facts, modelDigest: `0x${model.slice(7)}`, rows: 1, keyWords: key.map(BigInt) };
    await registerCircuit(cluster.admin, circuit);
    const decline = () => ({ reason: "InvalidProof", message: "It does not hold." });
    const { validation } = await settle("forged", { decline });
    const prover = validation.spec.validators[0]!.address;
    const state = async () => (await cluster.chain.node(prover)).state;
    await expect.poll(state, { timeout: 20_000 }).toBe("Disqualified");
    expect((await cluster.chain.node(prover)).stakeWei).toBe(0n);
    expect(await cluster.chain.validators(await cluster.chain.epoch())).not.toContain(prover);
  }, 60_000);
});
