/** The whole flow of the operator against the embedded API server and a local chain, with scripted members. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { isConditionTrue } from "../../../src/api/v1alpha1/conditions.ts";
import { hashHeader } from "../../../src/chain/header.ts";
import { readHeader } from "../../../src/pool/batch-data.ts";
import { aTask, type Cluster, type RunningOperator, startCluster, startOperator } from "./operator-fixture.ts";
import { connect, type Running, runValidator, runWorker } from "./scripted-members.ts";

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

function statusWrites(): number {
  const counts = cluster.server
    .writes()
    .filter(({ resource, subresource }) => resource === "inferencetasks.inferium.io" && subresource === "status");
  return counts.reduce((sum, { count }) => sum + count, 0);
}
