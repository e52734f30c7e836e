/**
 * `npm run test:sim -- hostile-receipts [--rounds N]`: a bonded worker that holds a task sends every hostile receipt it can make of
 * it, in an order that the seed decides, to a real operator. Each must be refused with a reason, none may be recorded; the claim
 * stands, the right receipt is taken after them, and all is settled once, with nobody slashed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { describeError, InferiumError } from "../../../src/base/errors.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import type { PoolClient } from "../../../src/pool/client.ts";
import type { ReceiptOutcome, SignedReceipt } from "../../../src/pool/wire.ts";
import { createRandom } from "../../chaos/random.ts";
import { aTask, type Cluster, startCluster, startOperator } from "../../integration/operator/operator-fixture.ts";
import { connect, double, runValidator, signReceipt } from "../../integration/operator/scripted-members.ts";
import { countFault, type FaultCounts, type ScenarioOptions, type ScenarioReport } from "../scenario.ts";
import { attacks, type Right, type Scene } from "./attacks.ts";

const validators = ["v1", "v2", "v3"];
const settleMs = 120_000;

export async function simulateHostileReceipts({ seed, numbers }: ScenarioOptions): Promise<ScenarioReport> {
  const began = performance.now();
  const cluster = await startCluster({ workers: ["w1", "w2"], validators });
  const operator = await startOperator(cluster);
  const members = validators.map((name) => runValidator(cluster, operator, name, {}));
  const clients = { w1: connect(cluster, operator, "w1"), w2: connect(cluster, operator, "w2") };
  const faults: FaultCounts = {};
  const problems: string[] = [];
  try {
    await cluster.order("order");
    const others = await workHonestly(cluster, clients.w2, "w2", "others");
    let earlier = await workHonestly(cluster, clients.w1, "w1", "earlier");
    const rounds = numbers.rounds ?? 1;
    for (let round = 0; round < rounds; round++) {
      const right = await take(cluster, clients.w1, "w1", `attacked-${round}`);
      const worker = cluster.member("w1");
      const scene = { cluster, worker, other: cluster.member("w2"), right, earlier, others };
      const order = createRandom(seed).fork(`${round}`);
      for (const attack of attacks.map((one) => ({ one, at: order.next() })).sort((a, b) => a.at - b.at)) {
        countFault(faults, attack.one.name);
        const problem = await strike(clients.w1, scene, attack.one);
        if (problem) problems.push(problem);
      }
      await deliver(clients.w1, right);
      earlier = right.receipt;
    }
    problems.push(...(await assertSettled(cluster, rounds + 2)));
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    const lost = problems.filter((problem) => problem.startsWith("settled")).length;
    return { seed, seconds, faults, problems, tasks: rounds + 2, lost };
  } finally {
    for (const client of Object.values(clients)) await client.close();
    for (const member of members) await member.stop();
    await operator.stop();
    await cluster.close();
  }
}

/** What is wrong with how it ended, if anything. */
async function strike(client: PoolClient, scene: Scene, attack: (typeof attacks)[number]): Promise<string | undefined> {
  const outcome = (await attack.build(scene)) as ReceiptOutcome;
  try {
    const { status } = await client.receipt({ ...scene.right.request, outcome });
    return status === "Superseded" ? undefined : `refused: ${attack.name} was taken as ${status}`;
  } catch (error) {
    const isReason = error instanceof InferiumError && error.disposition === "reject" && error.code !== "Unexpected";
    return isReason ? undefined : `reason: ${attack.name} ended with ${describeError(error)}`;
  }
}

async function take(cluster: Cluster, client: PoolClient, name: string, task: string): Promise<Right> {
  await cluster.tasks.create(aTask(task, { timeoutSeconds: 300 }));
  const { assignments } = await client.claim({ slots: 1, models: [], waitMs: 20_000 });
  const assignment = assignments[0];
  if (assignment?.task !== task) throw new Error(`${name} got ${assignment?.task ?? "nothing"}, not ${task}`);
  const output = double(assignment.input);
  const receipt = await signReceipt(cluster.domain, cluster.member(name), { assignment, output });
  return { request: { namespace: assignment.namespace, task }, receipt, output };
}

async function deliver(client: PoolClient, { request, receipt, output }: Right): Promise<void> {
  const { status } = await client.receipt({ ...request, outcome: { kind: "Completed", receipt, output, items: 1 } });
  if (status !== "Recorded") throw new Error(`the right receipt of ${request.task} was answered ${status}`);
}

async function workHonestly(cluster: Cluster, client: PoolClient, name: string, task: string): Promise<SignedReceipt> {
  const right = await take(cluster, client, name, task);
  await deliver(client, right);
  return right.receipt;
}

async function assertSettled(cluster: Cluster, count: number): Promise<string[]> {
  const until = performance.now() + settleMs;
  const read = async () => (await cluster.tasks.list()).items;
  const isSettled = async () => (await read()).every(({ status }) => status?.settlement?.block !== undefined);
  while (!(await isSettled()) && performance.now() < until) await sleep(200);
  const open = (await read()).filter(({ status }) => status?.settlement?.block === undefined);
  const problems = open.map(({ metadata, status }) => `settled: ${metadata.name} is ${status?.phase}`);
  const { settledWei } = await cluster.chain.lastBatch();
  if (settledWei !== BigInt(count) * oneToken) problems.push(`paid: ${settledWei} wei for ${count} tasks of one token`);
  for (const { name, role, signer } of cluster.members) {
    const want = (role === "Worker" ? 10_000n : 50_000n) * oneToken;
    const { stakeWei } = await cluster.chain.node(signer.address);
    if (stakeWei !== want) problems.push(`slash: ${name} has ${stakeWei} wei, expected ${want}`);
  }
  return problems;
}
