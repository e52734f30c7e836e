/**
 * A leaderboard whose operator is killed in the middle of its runs: a process of its own that gets SIGKILL, again and again, while models
 * are benchmarked, sums are computed and rankings written. Each run must be counted once, rank what it would have ranked without any of
 * it, and be paid for once: tasks are neither lost nor made twice.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { labels } from "../../../src/api/v1alpha1/labels.ts";
import { readLastBatch } from "../../../src/embedded/up/rewards.ts";
import type { LeaderboardObject } from "../../../src/operator/kinds.ts";
import { readAmounts } from "../../../src/pool/batch-data.ts";
import { createRandom } from "../../chaos/random.ts";
import { aLeaderboard, applyLabels, openComputing } from "../../integration/operator/a-leaderboard.ts";
import { type Cluster, requester, startCluster } from "../../integration/operator/operator-fixture.ts";
import type { Compute } from "../../integration/operator/scripted-members.ts";
import { type Memory, type Running, runValidator, runWorker } from "../../integration/operator/scripted-members.ts";
import { type KilledOperator, startKilledOperator } from "../killed-operator.ts";
import { countFault, type FaultCounts, type ScenarioOptions, type ScenarioReport } from "../scenario.ts";

const validators = ["v1", "v2", "v3"];
const name = "killed";
const tasksPerRun = 9;
/** A worker that went with the operator has forgotten what it claimed: its attempt must lapse soon. */
const timeoutSeconds = 5;
const oneToken = 10n ** 18n;
/** What the made-up models come to, whatever happens around them. */
const wanted = [
  ["good", 1],
  ["fair", 2],
  ["constant", 3],
] as const;

export async function simulateLeaderboard({
  seed,
  numbers,
  timeoutMs,
  onProgress,
}: ScenarioOptions): Promise<ScenarioReport> {
  const { runs = 0, kills = 0 } = numbers;
  const began = performance.now();
  const faults: FaultCounts = {};
  const problems: string[] = [];
  const random = createRandom(seed);
  const [cluster, computing] = await Promise.all([
    startCluster({ workers: ["w1", "w2"], validators }),
    openComputing(),
  ]);
  let host: Host | undefined;
  try {
    await Promise.all([cluster.order("order"), applyLabels(cluster)]);
    host = new Host(cluster, computing.compute, await startKilledOperator(cluster.config));
    for (let run = 1; run <= runs; run++) {
      await request(cluster, run);
      for (let kill = 0; kill < kills; kill++) {
        await sleep(random.between(50, 1_500));
        await host.replace();
        countFault(faults, "operator-kill");
      }
      const status = await untilFinished(cluster, { run, timeoutMs });
      problems.push(...checkRun(status, run), ...(await checkTasks(cluster, run)));
      onProgress?.(`run ${run}: ${status?.lastRun?.outcome ?? "not finished"}`);
    }
    problems.push(...(await checkPaid(cluster, runs, timeoutMs)));
  } finally {
    await host?.close();
    await computing.close();
    await cluster.close();
  }
  const seconds = Math.round((performance.now() - began) / 1_000);
  return { seed, seconds, faults, problems, tasks: runs * tasksPerRun };
}

/** A run is asked for by measuring something else; the last one's tasks are retired with it. */
async function request(cluster: Cluster, run: number): Promise<void> {
  const metrics: LeaderboardObject["spec"]["metrics"] = run % 2 === 0 ? ["F1", "Accuracy"] : ["Accuracy", "F1"];
  if (run === 1) return void (await cluster.leaderboards.create(aLeaderboard(name, { metrics, timeoutSeconds })));
  const body = { spec: { metrics } };
  await cluster.leaderboards.patch({ namespace: "default", name }, { kind: "merge", body });
}

async function untilFinished(cluster: Cluster, { run, timeoutMs }: { run: number; timeoutMs: number }) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { status } = await cluster.leaderboards.get({ namespace: "default", name });
    if ((status?.lastRun?.number ?? 0) >= run && status?.run === undefined) return status;
    if (performance.now() > deadline) return status;
    await sleep(100);
  }
}

function checkRun(status: LeaderboardObject["status"], run: number): string[] {
  const numbersSeen = (status?.history ?? []).map(({ number }) => number);
  const expected = Array.from({ length: Math.min(run, 5) }, (_, index) => run - index);
  const ranking = (status?.ranking ?? []).map(({ model, rank }) => [model, rank]);
  const { outcome, tasks } = status?.lastRun ?? {};
  return [
    ...(status?.runs === run ? [] : [`after run ${run} ${status?.runs} runs are counted`]),
    ...(numbersSeen.join() === expected.join() ? [] : [`run ${run}: the history has runs ${numbersSeen.join(", ")}`]),
    ...(outcome === "Succeeded" && tasks === tasksPerRun ? [] : [`run ${run} was ${outcome} with ${tasks} tasks`]),
    ...(JSON.stringify(ranking) === JSON.stringify(wanted) ? [] : [`run ${run} ranked ${JSON.stringify(ranking)}`]),
  ];
}

/** Of this run all, of the runs before none. */
async function checkTasks(cluster: Cluster, run: number): Promise<string[]> {
  const selector = { namespace: "default", labelSelector: `${labels.leaderboard}=${name}` };
  let problem: string | undefined;
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; await sleep(100)) {
    const { items } = await cluster.tasks.list(selector);
    const runsSeen = items.map(({ metadata }) => metadata.labels?.[labels.leaderboardRun]);
    const isRight = runsSeen.length === tasksPerRun && runsSeen.every((seen) => seen === String(run));
    if (isRight) return [];
    problem = `after run ${run} there are tasks of runs ${runsSeen.join(", ")}`;
  }
  return problem === undefined ? [] : [problem];
}

async function checkPaid(cluster: Cluster, runs: number, timeoutMs: number): Promise<string[]> {
  const wantWei = BigInt(runs * tasksPerRun) * oneToken;
  let spentWei = 0n;
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await sleep(100)) {
    const batch = await readLastBatch(cluster.transport);
    spentWei = batch === undefined ? 0n : (readAmounts(batch.spent).get(requester.address) ?? 0n);
    if (spentWei >= wantWei) break;
  }
  if (spentWei === wantWei) return [];
  return [`${runs} runs of ${tasksPerRun} tasks at 1 IFR have cost ${spentWei} wei; expected ${wantWei}`];
}

/** An operator in a process of its own, and the members that turn to whichever there is. */
class Host {
  readonly #cluster: Cluster;
  readonly #compute: Compute;
  readonly #memories = new Map<string, Memory>(validators.map((validator) => [validator, new Map()]));
  readonly #operator: KilledOperator;
  #members: Running[] = [];

  constructor(cluster: Cluster, compute: Compute, operator: KilledOperator) {
    this.#cluster = cluster;
    this.#compute = compute;
    this.#operator = operator;
    this.#startMembers();
  }

  /** The members see the operator go before they go themselves. */
  async replace(): Promise<void> {
    await Promise.all([this.#operator.replace(), this.#stopMembers()]);
    this.#startMembers();
  }

  async close(): Promise<void> {
    await Promise.all([this.#operator.close(), this.#stopMembers()]);
  }

  #startMembers(): void {
    const operator = { url: this.#operator.url, metricsUrl: "", stop: async () => undefined };
    const compute = this.#compute;
    this.#members = [
      ...["w1", "w2"].map((worker) => runWorker(this.#cluster, operator, worker, { compute })),
      ...validators.map((validator) =>
        runValidator(this.#cluster, operator, validator, {
          script: { compute },
          memory: this.#memories.get(validator) ?? new Map(),
        }),
      ),
    ];
  }

  async #stopMembers(): Promise<void> {
    await Promise.all(this.#members.splice(0).map((member) => member.stop()));
  }
}
