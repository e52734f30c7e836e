/** Leaderboards from creation to a ranking, through the pipeline that all tasks go through, and what goes wrong on the way. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { labels } from "../../../src/api/v1alpha1/labels.ts";
import type { LeaderboardObject } from "../../../src/operator/kinds.ts";
import { aLeaderboard, applyLabels, type Computing, classes, openComputing } from "./a-leaderboard.ts";
import { type Cluster, type RunningOperator, startCluster, startOperator } from "./operator-fixture.ts";
import { type Running, runValidator, runWorker } from "./scripted-members.ts";

const validators = ["v1", "v2", "v3"];
let cluster: Cluster;
let operator: RunningOperator;
let computing: Computing;
const running: Running[] = [];

beforeAll(async () => {
  [cluster, computing] = await Promise.all([startCluster({ workers: ["w1"], validators }), openComputing()]);
  await cluster.order("order");
  await applyLabels(cluster);
}, 60_000);

afterEach(async () => {
  await Promise.all(running.splice(0).map((member) => member.stop()));
  await operator?.stop();
});

afterAll(async () => {
  await computing?.close();
  await cluster?.close();
});

async function start(): Promise<void> {
  operator = await startOperator(cluster);
  const { compute } = computing;
  running.push(
    runWorker(cluster, operator, "w1", { compute, slots: 4 }),
    ...validators.map((name) => runValidator(cluster, operator, name, { script: { compute } })),
  );
}

const read = async (name: string) => (await cluster.leaderboards.get({ namespace: "default", name })).status;
const create = (leaderboard: LeaderboardObject) => cluster.leaderboards.create(leaderboard);
const eventually = (look: () => Promise<unknown>) => expect.poll(look, { timeout: 30_000 });
const tasksOf = async (name: string) =>
  (await cluster.tasks.list({ namespace: "default", labelSelector: `${labels.leaderboard}=${name}` })).items;
const readyOf = async (name: string) => (await read(name))?.conditions?.find(({ type }) => type === "Ready");

describe("a leaderboard", () => {
  test("ranks its models by what verified and settled tasks say, once", async () => {
    await start();
    await create(aLeaderboard("digits"));
    await eventually(async () => (await read("digits"))?.phase).toBe("Ranked");
    const status = await read("digits");
    const ranks = status?.ranking?.map(({ rank, tied, model, rows, tasks }) => ({ rank, tied, model, rows, tasks }));
    expect(ranks).toEqual([
      { rank: 1, tied: false, model: "good", rows: 80, tasks: 3 },
      { rank: 2, tied: false, model: "fair", rows: 80, tasks: 3 },
      { rank: 3, tied: false, model: "constant", rows: 80, tasks: 3 },
    ]);
    expect(status?.ranking?.map(({ metrics }) => metrics[0])).toMatchObject([
      { name: "Accuracy", value: "0.975" },
      { name: "Accuracy", value: "0.5" },
      { name: "Accuracy", value: "0.25" },
    ]);
    expect(status).toMatchObject({
      leader: "good 0.975",
      runs: 1,
      unranked: [],
      lastRun: { outcome: "Succeeded", tasks: 9 },
    });
    expect(status?.run).toBeUndefined();
    const tasks = await tasksOf("digits");
    expect(tasks.map(({ spec }) => spec.type).sort()).toEqual([
      ...Array.from({ length: 6 }, () => "Benchmark"),
      ...Array.from({ length: 3 }, () => "Leaderboard"),
    ]);
    for (const { status: ended } of tasks)
      expect(ended).toMatchObject({ phase: "Succeeded", verdict: { result: "Accepted" } });
    const metrics = await (await fetch(`${operator.metricsUrl}/metrics`)).text();
    expect(metrics).toContain('inferium_leaderboard_runs_total{outcome="Succeeded"} 1');
  });

  test("leaves out a model that answers something else, and says why", async () => {
    await start();
    const { models } = aLeaderboard("partly").spec;
    const [first, ...others] = models;
    await create(aLeaderboard("partly", { models: [...others, { ...first!, outputName: "none" }] }));
    await eventually(async () => (await read("partly"))?.lastRun?.outcome).toBe("Incomplete");
    const status = await read("partly");
    expect(status?.ranking?.map(({ model }) => model)).toEqual(["fair", "constant"]);
    expect(status?.unranked).toMatchObject([{ model: "good", reason: "MissingTensor" }]);
    expect(await readyOf("partly")).toMatchObject({ status: "False", reason: "Incomplete" });
  });

  test("begins nothing while its labels are not those that it names, and goes on once they are", async () => {
    await start();
    const shards = aLeaderboard("unlabelled").spec.dataset.shards.map((shard) => ({
      ...shard,
      labels: { ...shard.labels, configMapRef: { ...shard.labels.configMapRef, name: "later" } },
    }));
    await create(aLeaderboard("unlabelled", { dataset: { classes, shards } }));
    const reason = async () => (await readyOf("unlabelled"))?.reason;
    await eventually(reason).toBe("LabelsUnavailable");
    expect(await tasksOf("unlabelled")).toEqual([]);
    const wrong = shards.map((shard) => ({
      ...shard,
      labels: { ...shard.labels, digest: `sha256:${"0".repeat(64)}` },
    }));
    await create(aLeaderboard("mislabelled", { dataset: { classes, shards: wrong } }));
    await applyLabels(cluster, "later");
    // A change of the spec brings it back before its time.
    const change = { kind: "merge", body: { spec: { priority: 1 } } } as const;
    for (const name of ["unlabelled", "mislabelled"])
      await cluster.leaderboards.patch({ namespace: "default", name }, change);
    await eventually(async () => (await readyOf("mislabelled"))?.reason).toBe("LabelsMismatch");
    await eventually(async () => (await read("unlabelled"))?.phase).toBe("Ranked");
    expect(await tasksOf("mislabelled")).toEqual([]);
  });

  test("runs anew for what it measures now, retires the tasks of the run before, and rests while suspended", async () => {
    await start();
    await create(aLeaderboard("anew", { suspend: true }));
    await eventually(async () => (await read("anew"))?.phase).toBe("Suspended");
    expect(await tasksOf("anew")).toEqual([]);
    const patch = (spec: object) =>
      cluster.leaderboards.patch({ namespace: "default", name: "anew" }, { kind: "merge", body: { spec } });
    await patch({ suspend: false });
    await eventually(async () => (await read("anew"))?.runs).toBe(1);
    await patch({ metrics: ["Recall"] });
    await eventually(async () => (await read("anew"))?.runs).toBe(2);
    expect((await read("anew"))?.ranking?.[0]?.metrics.map(({ name }) => name)).toEqual(["Recall"]);
    const runs = async () => [
      ...new Set((await tasksOf("anew")).map(({ metadata }) => metadata.labels?.[labels.leaderboardRun])),
    ];
    await eventually(runs).toEqual(["2"]);
  });

  test("says which schedule is none, and when a good one is due next", async () => {
    await start();
    await create(aLeaderboard("never", { schedule: "61 * * * *" }));
    await eventually(async () => (await readyOf("never"))?.reason).toBe("InvalidSchedule");
    await create(aLeaderboard("yearly", { schedule: "@yearly", runAtLeastOnce: false }));
    await eventually(async () => (await read("yearly"))?.nextRun).toMatch(/^\d{4}-01-01T00:00:00Z$/);
    expect((await read("yearly"))?.runs ?? 0).toBe(0);
  });
});
