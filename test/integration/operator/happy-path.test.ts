/**
 * The whole flow of the operator against the embedded API server and a local chain, with scripted members: a task, and a batch that is
 * cut into shards for several owners' workers.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { isConditionTrue } from "../../../src/api/v1alpha1/conditions.ts";
import { labels } from "../../../src/api/v1alpha1/labels.ts";
import { hashHeader } from "../../../src/chain/header.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import { readHeader } from "../../../src/pool/batch-data.ts";
import { readInline } from "../../../src/pool/inline-tensors.ts";
import type { WorkAssignment } from "../../../src/pool/work-assignment.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { aTask, type Cluster, type RunningOperator, startCluster, startOperator } from "./operator-fixture.ts";
import { connect, double, type Running, runValidator, runWorker } from "./scripted-members.ts";

const validators = ["v1", "v2", "v3", "v4"];
let cluster: Cluster;
let operator: RunningOperator;
const running: Running[] = [];

beforeAll(async () => {
  cluster = await startCluster({ workers: ["w1", "w2"], validators });
  await cluster.order("order");
}, 60_000);

afterEach(async () => {
  await Promise.all(running.splice(0).map((member) => member.stop()));
  await operator?.stop();
});

afterAll(() => cluster?.close());

const read = (name: string) => cluster.tasks.get({ namespace: "default", name });

describe("operator", () => {
  test("a task goes from create to a settled reward in at most four status writes", async () => {
    operator = await startOperator(cluster, { explainAfterMs: 60_000 });
    running.push(
      runWorker(cluster, operator, "w1"),
      ...validators.map((name) => runValidator(cluster, operator, name)),
    );
    const writesBefore = statusWrites();
    await cluster.tasks.create(aTask("happy"));
    await expect.poll(async () => (await read("happy")).status?.phase, { timeout: 30_000 }).toBe("Succeeded");
    const { status } = await read("happy");
    expect(running.flatMap(({ refusals }) => refusals)).toEqual([]);
    for (const type of ["Accepted", "Assigned", "Executed", "Committed", "Validated", "Settled", "Rewarded", "Ready"]) {
      expect([type, isConditionTrue(status?.conditions, type)]).toEqual([type, true]);
    }
    expect(status?.verdict).toMatchObject({ result: "Accepted", reject: 0 });
    expect(status?.settlement).toMatchObject({ batch: 1, index: 0, rewardWei: String(10n ** 18n) });
    expect(statusWrites() - writesBefore).toBeLessThanOrEqual(4);
  });

  test("validators are shown what was settled, and what was run, also after a restart", async () => {
    operator = await startOperator(cluster);
    const { status, spec } = await read("happy");
    const message = status?.receipt?.message;
    const client = connect(cluster, operator, "v1");
    try {
      const { batch } = await client.batch({ sequence: "1" });
      const settled = await cluster.chain.lastBatch();
      expect(hashHeader(cluster.domain, readHeader(batch.header))).toBe(settled.headerHash);
      expect(batch.tasks.map(({ taskId }) => taskId)).toEqual([message?.taskId]);
      const { item } = await client.item({ taskId: message?.taskId ?? "", attempt: 1 });
      expect(item).toMatchObject({ model: { digest: spec.model.digest }, receipt: { message } });
      const other = client.item({ taskId: message?.taskId ?? "", attempt: 2 });
      await expect(other).rejects.toMatchObject({ code: "ReceiptGone" });
      await expect(client.batch({ sequence: "7" })).rejects.toMatchObject({ code: "BatchUnknown" });
    } finally {
      await client.close();
    }
  });
});

const wait = { timeout: 30_000 };
const phaseOf = async (name: string) => (await read(name)).status?.phase;

/** Of `count` rows of two numbers, which are doubled. */
function aBatch(name: string, { count, ...change }: { count: number } & Partial<TaskObject["spec"]>): TaskObject {
  const data = Array.from({ length: 2 * count }, (_, index) => index);
  const x = { dtype: "int32" as const, shape: [count, 2], data };
  return aTask(name, { input: { inline: { x }, items: { from: 0, count } }, ...change });
}

async function shardsOf(name: string): Promise<TaskObject[]> {
  const { items } = await cluster.tasks.list({ namespace: "default", labelSelector: `${labels.batch}=${name}` });
  const place = ({ metadata }: TaskObject) => Number(metadata.labels?.[labels.shard]);
  return items.sort((a, b) => place(a) - place(b));
}

describe("a batch with parallelism", () => {
  test("is run by several workers, put together in order and paid in parts that sum up", async () => {
    operator = await startOperator(cluster, { explainAfterMs: 60_000 });
    for (const name of validators) running.push(runValidator(cluster, operator, name));
    for (const name of ["w1", "w2"]) running.push(runWorker(cluster, operator, name, { slots: 1 }));
    const reward = "1.000000000000000001";
    const batch = aBatch("batch", { count: 10, parallelism: 4, reward });
    const before = statusWrites();
    await cluster.tasks.create(batch);
    await expect.poll(() => phaseOf("batch"), wait).toBe("Succeeded");
    const { status, spec } = await read("batch");
    const y = { y: { dtype: "int32", shape: [10, 2], data: Array.from({ length: 20 }, (_, index) => 2 * index) } };
    expect(status?.output).toMatchObject({
      items: 10,
      inline: y,
      digest: digestTensors(readInline(double(spec.input as never))),
    });
    expect(status?.shards).toMatchObject({ total: 4, progress: "4/4", succeeded: 4, rewardWei: "1000000000000000001" });
    const shards = await shardsOf("batch");
    expect(shards.map((shard) => shard.status?.output?.items)).toHaveLength(4);
    expect(new Set(shards.map((shard) => shard.status?.assignment?.worker))).toEqual(new Set(["w1", "w2"]));
    expect(shards.map((shard) => shard.status?.settlement?.rewardWei)).toEqual([
      ...["200000000000000000", "300000000000000000", "200000000000000000", "300000000000000001"],
    ]);
    expect(running.flatMap(({ refusals }) => refusals)).toEqual([]);
    expect(statusWrites() - before).toBeLessThanOrEqual(4 * 4 + 6);
  });
});

describe("a slow shard near the end", () => {
  const duplicates = { factor: 1, floorMs: 300 };
  const isSecond = ({ task }: { task: string }) => task.endsWith("-d");
  let slow: PromiseWithResolvers<void>;
  let second: PromiseWithResolvers<void>;
  let judging: PromiseWithResolvers<void>;

  /** The first worker is slow on all it has, the second one on duplicates. */
  async function startSlow(factor = 2): Promise<void> {
    slow = Promise.withResolvers();
    second = Promise.withResolvers();
    judging = Promise.withResolvers();
    const onDuty = () => judging.promise.then(() => "answer" as const);
    operator = await startOperator(cluster, { duplicates, explainAfterMs: 60_000 });
    const compute =
      (gate: Promise<void>, by = 2) =>
      async (work: Pick<WorkAssignment, "input">) => {
        await gate;
        return double(work.input, by);
      };
    for (const name of validators) running.push(runValidator(cluster, operator, name, { script: { onDuty } }));
    running.push(runWorker(cluster, operator, "w1", { slots: 1, compute: compute(slow.promise) }));
    const ofSecond = (work: WorkAssignment) =>
      isSecond(work) ? compute(second.promise, factor)(work) : double(work.input);
    const script = { slots: 1, compute: (work: unknown) => Promise.resolve(ofSecond(work as WorkAssignment)) };
    running.push(runWorker(cluster, operator, "w2", script));
  }

  const copiesOf = async (name: string) => {
    const shards = await shardsOf(name);
    const duplicate = shards.find(({ metadata }) => isSecond({ task: metadata.name }));
    const first = shards.find(({ metadata }) => `${metadata.name}-d` === duplicate?.metadata.name);
    return { first, duplicate };
  };
  const phasesOf = async (name: string) => {
    const { first, duplicate } = await copiesOf(name);
    return [first?.status?.phase, duplicate?.status?.phase];
  };
  const rewardOf = async (name: string) => (await read(name)).status?.shards?.rewardWei;

  test("goes to another owner's worker as well, whose result wins, and the first copy is called back at no cost", async () => {
    await startSlow();
    judging.resolve();
    await cluster.tasks.create(aBatch("overtaken", { count: 4, parallelism: 2 }));
    await expect.poll(() => phasesOf("overtaken"), wait).toEqual(["Assigned", "Assigned"]);
    const { first, duplicate } = await copiesOf("overtaken");
    expect([first, duplicate].map((copy) => copy?.status?.assignment?.worker)).toEqual(["w1", "w2"]);
    second.resolve();
    await expect.poll(() => phaseOf("overtaken"), wait).toBe("Succeeded");
    slow.resolve();
    await expect.poll(() => phasesOf("overtaken"), wait).toEqual(["Failed", "Succeeded"]);
    const ended = (await copiesOf("overtaken")).first?.status;
    expect(ended?.attempts).toMatchObject([{ worker: "w1", outcome: "Preempted", reason: "Superseded" }]);
    expect(ended?.conditions?.find(({ type }) => type === "Stalled")).toMatchObject({ reason: "Superseded" });
    expect((await read("overtaken")).status).toMatchObject({
      output: { items: 4, inline: { y: { data: [0, 2, 4, 6, 8, 10, 12, 14] } } },
      shards: { total: 2, succeeded: 2, duplicated: 1 },
    });
    expect(await rewardOf("overtaken")).toBe(String(10n ** 18n));
  });

  test("is paid once where both copies arrive and agree", async () => {
    await startSlow();
    await cluster.tasks.create(aBatch("agreed", { count: 4, parallelism: 2 }));
    await expect.poll(() => phasesOf("agreed"), wait).toEqual(["Assigned", "Assigned"]);
    slow.resolve();
    second.resolve();
    await expect.poll(() => phasesOf("agreed"), wait).toEqual(["Validating", "Validating"]);
    judging.resolve();
    await expect.poll(() => phasesOf("agreed"), wait).toEqual(["Succeeded", "Succeeded"]);
    await expect.poll(() => phaseOf("agreed"), wait).toBe("Succeeded");
    const { first, duplicate } = await copiesOf("agreed");
    const paid = [first, duplicate].map((copy) => copy?.status?.settlement?.rewardWei);
    expect(paid.sort()).toEqual(["0", String(10n ** 18n / 2n)]);
    expect(await rewardOf("agreed")).toBe(String(10n ** 18n));
    expect(running.flatMap(({ refusals }) => refusals)).toEqual([]);
  });

  test("is the panel's to decide where the copies differ: the wrong one is slashed, the right one is paid", async () => {
    await startSlow(3);
    judging.resolve();
    await cluster.tasks.create(aBatch("differ", { count: 4, parallelism: 2 }));
    await expect.poll(() => phasesOf("differ"), wait).toEqual(["Assigned", "Assigned"]);
    second.resolve();
    await expect
      .poll(async () => (await copiesOf("differ")).duplicate?.status?.attempts, wait)
      .toMatchObject([{ worker: "w2", outcome: "Rejected" }]);
    slow.resolve();
    await expect.poll(() => phaseOf("differ"), wait).toBe("Succeeded");
    await expect
      .poll(async () => (await copiesOf("differ")).duplicate?.status?.attempts?.[0]?.penaltyTxHash, wait)
      .toMatch(/^0x/);
    const { first, duplicate } = await copiesOf("differ");
    expect(first?.status).toMatchObject({ phase: "Succeeded", settlement: { rewardWei: String(10n ** 18n / 2n) } });
    expect(duplicate?.status?.settlement).toBeUndefined();
    expect(await rewardOf("differ")).toBe(String(10n ** 18n));
    expect((await read("differ")).status?.output?.inline).toMatchObject({ y: { data: [0, 2, 4, 6, 8, 10, 12, 14] } });
  });
});

function statusWrites(): number {
  const counts = cluster.server
    .writes()
    .filter(({ resource, subresource }) => resource === "inferencetasks.inferium.io" && subresource === "status");
  return counts.reduce((sum, { count }) => sum + count, 0);
}
