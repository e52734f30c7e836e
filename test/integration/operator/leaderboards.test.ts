/** Leaderboards from creation to a ranking, through the pipeline that all tasks go through, and what goes wrong on the way. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { labels } from "../../../src/api/v1alpha1/labels.ts";
import type { LeaderboardObject } from "../../../src/operator/kinds.ts";
import { aLeaderboard, applyLabels, type Computing, openComputing } from "./a-leaderboard.ts";
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
});
