/** A batch cut into shards, through the whole operator: several owners' workers, results in order, each paid its part. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { labels } from "../../../src/api/v1alpha1/labels.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import { readInline } from "../../../src/pool/inline-tensors.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { aTask, type Cluster, type RunningOperator, startCluster, startOperator } from "./operator-fixture.ts";
import { double, type Running, runValidator, runWorker } from "./scripted-members.ts";

const validators = ["v1", "v2", "v3", "v4"];
let cluster: Cluster;
let operator: RunningOperator;
const running: Running[] = [];

beforeAll(async () => {
  cluster = await startCluster({ workers: ["w1", "w2", "w3"], validators });
  await cluster.order("order");
}, 60_000);

afterEach(async () => {
  await Promise.all(running.splice(0).map((member) => member.stop()));
  await operator?.stop();
});

afterAll(() => cluster?.close());

const wait = { timeout: 30_000 };
const read = (name: string) => cluster.tasks.get({ namespace: "default", name });
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

function statusWrites(): number {
  const counts = cluster.server
    .writes()
    .filter(({ resource, subresource }) => resource === "inferencetasks.inferium.io" && subresource === "status");
  return counts.reduce((sum, { count }) => sum + count, 0);
}
