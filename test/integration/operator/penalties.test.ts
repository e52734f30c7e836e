/** What a worker loses beside its pay: a deduction for a deadline that it let pass, and its place for a contradiction. */
import { Wallet } from "ethers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { encodeProveContradiction } from "../../../src/chain/calls.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { developmentAccounts } from "../../../src/embedded/chain/development-accounts.ts";
import type { WorkAssignment } from "../../../src/pool/work-assignment.ts";
import { aTask, type Cluster, type RunningOperator, startCluster, startOperator } from "./operator-fixture.ts";
import { connect, double, type Running, runValidator, runWorker, signReceipt } from "./scripted-members.ts";

const validators = ["v1", "v2", "v3"];
let cluster: Cluster;
let operator: RunningOperator;
const running: Running[] = [];

beforeAll(async () => {
  cluster = await startCluster({ workers: ["honest", "silent", "wordless", "liar", "heir"], validators });
  await cluster.order("order");
}, 60_000);

beforeEach(async () => {
  operator = await startOperator(cluster);
  running.push(...validators.map((name) => runValidator(cluster, operator, name)));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((member) => member.stop()));
  await operator.stop();
});

afterAll(() => cluster?.close());

const read = async (name: string) => (await cluster.tasks.get({ namespace: "default", name })).status;
const poll = <Value>(get: () => Promise<Value>) => expect.poll(get, { timeout: 30_000 });
const stakeOf = async (name: string) => (await cluster.chain.node(cluster.member(name).signer.address)).stakeWei;
const statusOf = async (name: string) => (await cluster.workers.get({ name })).status;

/** Takes one task and never answers for it; then somebody else does it. */
async function letDeadlinePass(task: string, worker: string, heartbeat: boolean): Promise<void> {
  const multiply = (assignment: WorkAssignment) => (assignment.task === task ? undefined : 2);
  const idle = runWorker(cluster, operator, worker, { heartbeat, slots: 1, multiply });
  running.push(idle);
  await cluster.tasks.create(aTask(task, { timeoutSeconds: 2 }));
  await expect.poll(() => idle.seen.length, { timeout: 10_000 }).toBe(1);
  running.push(runWorker(cluster, operator, "honest"));
  await poll(async () => (await read(task))?.phase).toBe("Succeeded");
  expect((await read(task))?.attempts).toMatchObject([{ attempt: 1, worker, outcome: "Expired" }]);
}

async function settleAnother(name: string): Promise<void> {
  await cluster.tasks.create(aTask(name));
  await poll(async () => (await read(name))?.phase).toBe("Succeeded");
}

describe("a deadline that a worker lets pass", () => {
  test("costs it the deduction where it had signed the claim and was there, by the word of a quorum", async () => {
    await letDeadlinePass("broken-word", "silent", true);
    // Suspected for a second more, so that its own task's batch may have gone: the next one takes it along.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await settleAnother("next-batch");
    await poll(async () => (await read("broken-word"))?.attempts?.[0]?.penaltyTxHash).toMatch(/^0x/);
    expect((await read("broken-word"))?.conditions?.find(({ type }) => type === "Slashed")).toMatchObject({
      ...{ status: "True", reason: "DeadlineMissed" },
    });
    expect(await stakeOf("silent")).toBe(9_900n * oneToken);
    await poll(() => statusOf("silent")).toMatchObject({
      bond: { stakeWei: String(9_900n * oneToken), state: "Underbonded" },
      earnings: { slashedWei: String(100n * oneToken) },
    });
    expect(running.flatMap(({ refusals }) => refusals)).toEqual([]);
  });

  test("costs no stake where the worker never gave its word", async () => {
    await letDeadlinePass("no-word", "wordless", false);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await settleAnother("batch-after");
    await settleAnother("and-one-more");
    expect(await stakeOf("wordless")).toBe(10_000n * oneToken);
  });
});

describe("a worker that the registry bans", () => {
  test("is drained at once and never matched again, nor is whoever comes with its GPU", async () => {
    const held: WorkAssignment[] = [];
    const liar = runWorker(cluster, operator, "liar", {
      slots: 1,
      multiply: (assignment) => {
        held.push(assignment);
        return undefined;
      },
    });
    running.push(liar);
    await cluster.tasks.create(aTask("held-by-liar", { timeoutSeconds: 3_600 }));
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(1);
    await proveContradiction(held[0]!);
    // An hour before its deadline the task is another's.
    running.push(runWorker(cluster, operator, "honest"));
    await poll(async () => (await read("held-by-liar"))?.phase).toBe("Succeeded");
    expect((await read("held-by-liar"))?.attempts).toMatchObject([
      { worker: "liar", outcome: "Failed", reason: "WorkerBanned" },
    ]);
    const isBanned = async (name: string) =>
      (await statusOf(name))?.conditions?.find(({ type }) => type === "Disqualified")?.status;
    await poll(() => isBanned("liar")).toBe("True");

    // The same GPU under another key, another owner and an active bond; the banned node is gone.
    await cluster.workers.applyStatus({ metadata: { name: "heir" }, status: gpu("GPU-liar") });
    await cluster.workers.delete({ name: "liar" });
    await poll(() => isBanned("heir")).toBe("True");
    await expectNoWorkFor("heir");
    // The ban outlives the process that heard of it.
    await Promise.all(running.splice(0).map((member) => member.stop()));
    await operator.stop();
    operator = await startOperator(cluster);
    running.push(...validators.map((name) => runValidator(cluster, operator, name)));
    await expectNoWorkFor("heir");
    await cluster.workers.applyStatus({ metadata: { name: "heir" }, status: gpu("GPU-of-its-own") });
    running.push(runWorker(cluster, operator, "heir"));
    await settleAnother("for-the-heir");
  });
});

const gpu = (uuid: string) => ({
  tier: "Mid" as const,
  capability: { level: "Inspected" as const },
  hardware: {
    source: "NvidiaSmi" as const,
    simulated: true,
    gpus: [{ uuid, product: "Test", memoryMiB: 16_000, computeCapability: "8.0" }],
  },
});

/** It is not let in, and what waits is not given to it. */
async function expectNoWorkFor(name: string): Promise<void> {
  const client = connect(cluster, operator, name);
  await expect(client.claim({ slots: 1, models: [], waitMs: 500 })).rejects.toMatchObject({ code: "Disqualified" });
  await client.close();
}

/** Somebody has seen two receipts of the liar for one attempt. */
async function proveContradiction(assignment: WorkAssignment): Promise<void> {
  const member = cluster.member("liar");
  const [a, b] = await Promise.all(
    [2, 3].map((by) => signReceipt(cluster.domain, member, { assignment, output: double(assignment.input, by) })),
  );
  const data = encodeProveContradiction({
    ...{ receiptA: a!.message, signatureA: a!.signature, receiptB: b!.message, signatureB: b!.signature },
  });
  const sender = new Wallet(developmentAccounts(10)[5]!.privateKey, cluster.chain.provider);
  await (await sender.sendTransaction({ to: cluster.chain.addresses.slashing, data })).wait();
}
