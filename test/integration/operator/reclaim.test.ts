/** Who gives way where a policy asks for it, to other tenants and to higher priorities, through the whole operator; and its trace says so again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runReplay } from "../../../src/cli/replay.ts";
import { aTask, type Cluster, type RunningOperator, startCluster, startOperator } from "./operator-fixture.ts";
import { type Running, runWorker } from "./scripted-members.ts";

const policies = {
  "default/lender": { nominal: 1, cohort: "c", reclaim: "Preempt" },
  "default/borrower": { nominal: 0, borrowing: 1, cohort: "c" },
  "default/ranked": { nominal: 1, preempt: "LowerPriority" },
} as const;

let cluster: Cluster;
let operator: RunningOperator;
let dir: string;
let path: string;
const running: Running[] = [];

beforeAll(async () => {
  cluster = await startCluster({ workers: ["w1"], validators: ["v1"] });
  dir = await mkdtemp(join(tmpdir(), "inferium-trace-"));
  path = join(dir, "trace.jsonl");
  const trace = { path, maxBytes: 1_000_000 };
  operator = await startOperator(cluster, { policies, allowUnverified: true, trace });
}, 60_000);

afterAll(async () => {
  await Promise.all(running.map((member) => member.stop()));
  await cluster?.close();
  await rm(dir, { recursive: true, force: true });
});

const freeTask = (name: string, queue: string, priority = 0) => {
  const task = aTask(name, { queue, priority, verification: { policy: "None", validators: 3, quorum: 2 } });
  const { reward: _, requester: __, orderRef: ___, ...spec } = task.spec;
  return { ...task, spec };
};
const read = async (name: string) => (await cluster.tasks.get({ namespace: "default", name })).status;
const poll = <Value>(get: () => Promise<Value>) => expect.poll(get, { timeout: 30_000 });

test("who gives way does so at no cost to its retries, and runs after what it gave way to", async () => {
  let isStuck = true;
  const multiply = ({ task }: { task: string }) => (["borrowed", "modest"].includes(task) && isStuck ? undefined : 2);
  running.push(runWorker(cluster, operator, "w1", { multiply }));
  await cluster.tasks.create(freeTask("borrowed", "borrower"));
  await poll(async () => (await read("borrowed"))?.phase).toBe("Assigned");
  isStuck = false;
  await cluster.tasks.create(freeTask("own", "lender"));
  await poll(async () => (await read("own"))?.phase).toBe("Settling");
  await poll(async () => (await read("borrowed"))?.phase).toBe("Settling");
  expect((await read("borrowed"))?.attempts).toMatchObject([{ outcome: "Preempted", reason: "QuotaReclaimed" }]);
  expect((await read("borrowed"))?.assignment).toMatchObject({ worker: "w1", attempt: 2 });
  isStuck = true;
  await cluster.tasks.create(freeTask("modest", "ranked", -10));
  await poll(async () => (await read("modest"))?.phase).toBe("Assigned");
  isStuck = false;
  await cluster.tasks.create(freeTask("urgent", "ranked", 10));
  await poll(async () => (await read("urgent"))?.phase).toBe("Settling");
  await poll(async () => (await read("modest"))?.phase).toBe("Settling");
  expect((await read("modest"))?.attempts).toMatchObject([{ outcome: "Preempted", reason: "PriorityPreempted" }]);
  await operator.stop();
  const out: string[] = [];
  const io = { out: (line: string) => void out.push(line), note: () => undefined };
  expect(await runReplay(path, { output: "json" }, io)).toBe(0);
  const given = out.flatMap((line) => (JSON.parse(line) as { taken: { id: string }[] }).taken.map(({ id }) => id));
  const order = ["borrowed", "own", "borrowed", "modest", "urgent", "modest"];
  expect(given).toEqual(order.map((name) => `default/${name}`));
});
