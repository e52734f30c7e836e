/**
 * Batches cut into shards whose operator is killed in the middle, whose workers forget what they claimed or are slow, so that there
 * are duplicates, some of which lie: each batch must end with the result that one run would have given, each shard be paid once, and
 * nobody honest be slashed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { labels } from "../../../src/api/v1alpha1/labels.ts";
import { readLastBatch } from "../../../src/embedded/up/rewards.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import { readAmounts } from "../../../src/pool/batch-data.ts";
import { formatIfr } from "../../../src/protocol/amount.ts";
import { createRandom } from "../../chaos/random.ts";
import { aTask, type Cluster, requester, startCluster } from "../../integration/operator/operator-fixture.ts";
import { type Running, runValidator } from "../../integration/operator/scripted-members.ts";
import { startKilledOperator } from "../killed-operator.ts";
import { countFault, type FaultCounts, type ScenarioOptions, type ScenarioReport } from "../scenario.ts";
import { honest, startWorkers } from "./workers.ts";

const validators = ["v1", "v2", "v3", "v4"];
const workers = ["w1", "w2", "w3", "w4"];
const parallelism = 6;
const items = 23;
/** Does not divide by the items. */
const rewardWei = 10n ** 18n + 7n;
/** A worker that has forgotten what it claimed keeps it for so long. */
const timeoutSeconds = 6;
const stakeWei = 10_000n * 10n ** 18n;

export async function simulateBatches({
  seed,
  numbers,
  timeoutMs,
  onProgress,
}: ScenarioOptions): Promise<ScenarioReport> {
  const { batches = 0, kills = 0 } = numbers;
  const began = performance.now();
  const faults: FaultCounts = {};
  const random = createRandom(seed);
  const cluster = await startCluster({ workers, validators });
  const findings: Findings = { problems: [], lost: 0, paidTwice: 0, slashedWrongly: 0 };
  const running: Running[] = [];
  await cluster.order("order");
  const operator = await startKilledOperator({ ...cluster.config, duplicates: { factor: 1, floorMs: 500 } });
  try {
    const served = { url: operator.url, metricsUrl: "", stop: async () => undefined };
    for (const name of validators) running.push(runValidator(cluster, served, name));
    running.push(...startWorkers(cluster, served, { random: random.fork("workers"), faults }));
    for (let index = 0; index < batches; index++) {
      const name = `batch-${index}`;
      await cluster.tasks.create(aBatch(name));
      for (let kill = 0; kill < kills; kill++) {
        await sleep(random.between(100, 2_500));
        await operator.replace();
        countFault(faults, "operator-kill");
      }
      const ended = await untilEnded(cluster, name, timeoutMs);
      await check(cluster, ended, { findings, faults });
      onProgress?.(`${name}: ${ended.status?.phase}, ${ended.status?.shards?.duplicated ?? 0} shards had two copies`);
    }
    await checkSpent(cluster, BigInt(batches) * rewardWei, { findings, timeoutMs });
    await checkStakes(cluster, findings);
  } finally {
    await Promise.all(running.map((member) => member.stop()));
    await operator.close();
    await cluster.close();
  }
  const seconds = Math.round((performance.now() - began) / 1_000);
  return { seed, seconds, faults, tasks: batches * parallelism, ...findings };
}

interface Findings {
  readonly problems: string[];
  lost: number;
  paidTwice: number;
  slashedWrongly: number;
}

const numbersOf = (by: number) => Array.from({ length: items }, (_, index) => index * by);

function aBatch(name: string): TaskObject {
  const x = { dtype: "int32" as const, shape: [items, 1], data: numbersOf(1) };
  const input = { inline: { x }, items: { from: 0, count: items } };
  return aTask(name, { input, parallelism, reward: formatIfr(rewardWei), timeoutSeconds });
}

async function untilEnded(cluster: Cluster, name: string, timeoutMs: number): Promise<TaskObject> {
  for (const deadline = performance.now() + timeoutMs; ; await sleep(200)) {
    const task = await cluster.tasks.get({ namespace: "default", name });
    const phase = task.status?.phase ?? "Pending";
    if (["Succeeded", "Failed", "Rejected"].includes(phase) || performance.now() > deadline) return task;
  }
}

interface Counted {
  readonly findings: Findings;
  readonly faults: FaultCounts;
}

async function check(cluster: Cluster, batch: TaskObject, { findings, faults }: Counted): Promise<void> {
  const { name } = batch.metadata;
  const { problems } = findings;
  const { status } = batch;
  if (status?.phase !== "Succeeded") {
    findings.lost += 1;
    const why = status?.conditions?.find(({ type }) => type === "Reconciling" || type === "Stalled")?.message;
    problems.push(`${name} is ${status?.phase}: ${why}`);
    return;
  }
  const inline = status.output?.inline?.y;
  const got = inline?.data ?? [...new Int32Array(Uint8Array.from(Buffer.from(inline?.base64 ?? "", "base64")).buffer)];
  if (got.join() !== numbersOf(2).join()) problems.push(`${name} gave ${got.join(" ")}`);
  if (status.shards?.rewardWei !== String(rewardWei)) problems.push(`${name} paid ${status.shards?.rewardWei} wei`);
  const labelSelector = `${labels.batch}=${name}`;
  const { items: copies } = await cluster.tasks.list({ namespace: "default", labelSelector });
  for (let shard = 0; shard < parallelism; shard++) {
    const own = copies.filter(({ metadata }) => metadata.labels?.[labels.shard] === String(shard));
    const paid = own.filter((copy) => BigInt(copy.status?.settlement?.rewardWei ?? "0") > 0n).length;
    if (paid > 1) findings.paidTwice += 1;
    if (paid !== 1) problems.push(`shard ${shard} of ${name} has ${paid} paid copies of ${own.length}`);
    if (own.length > 1) countFault(faults, "duplicate");
  }
}

/** On the chain: neither less, which is lost, nor more, which is paid twice. */
async function checkSpent(
  cluster: Cluster,
  wantWei: bigint,
  { findings, timeoutMs }: { readonly findings: Findings; readonly timeoutMs: number },
): Promise<void> {
  let spentWei = 0n;
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await sleep(100)) {
    const batch = await readLastBatch(cluster.transport);
    spentWei = batch === undefined ? 0n : (readAmounts(batch.spent).get(requester.address) ?? 0n);
    if (spentWei >= wantWei) break;
  }
  if (spentWei > wantWei) findings.paidTwice += 1;
  if (spentWei !== wantWei) findings.problems.push(`the batches have cost ${spentWei} wei; expected ${wantWei}`);
}

async function checkStakes(cluster: Cluster, findings: Findings): Promise<void> {
  for (const name of honest) {
    const { stakeWei: left } = await cluster.chain.node(cluster.member(name).signer.address);
    if (left === stakeWei) continue;
    findings.slashedWrongly += 1;
    findings.problems.push(`${name}, which is honest, has ${left} wei of its stake left`);
  }
}
