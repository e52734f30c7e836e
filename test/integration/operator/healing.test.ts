/**
 * The chain changes its mind under a whole operator: a reorganisation takes a settled batch back, and a proven fault of the
 * validators rolls one back. What was settled is settled again, once; then the command line proves it and pays it out.
 */
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { Wallet } from "ethers";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { loadArtifact } from "../../../src/chain/artifacts.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { readSettledHeader } from "../../../src/chain/settled-headers.ts";
import { addChainCommands } from "../../../src/cli/chain/commands.ts";
import { developmentAccounts } from "../../../src/embedded/chain/development-accounts.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import { unsettleTask } from "../../../src/protocol/lifecycle.ts";
import { aTask, type Cluster, type RunningOperator, startCluster, startOperator } from "./operator-fixture.ts";
import { type Running, runValidator, runWorker } from "./scripted-members.ts";

const validators = ["v1", "v2", "v3"];
let cluster: Cluster;
let operator: RunningOperator | undefined;
const running: Running[] = [];

beforeAll(async () => {
  cluster = await startCluster({ workers: ["w1"], validators });
  await cluster.order("order");
}, 60_000);

afterEach(stop);
afterAll(() => cluster?.close());

async function start(): Promise<void> {
  operator = await startOperator(cluster);
  const started = operator;
  running.push(runWorker(cluster, started, "w1"), ...validators.map((name) => runValidator(cluster, started, name)));
}

async function stop(): Promise<void> {
  await Promise.all(running.splice(0).map((member) => member.stop()));
  await operator?.stop();
  operator = undefined;
}

const get = (name: string) => cluster.tasks.get({ namespace: "default", name });
const settledOf = async (name: string) => (await get(name)).status?.conditions?.find(({ type }) => type === "Settled");
const untilSettled = (name: string) =>
  expect.poll(async () => (await settledOf(name))?.status, { timeout: 30_000 }).toBe("True");
const rpc = (method: string, ...params: unknown[]) => cluster.chain.provider.send(method, params);
const workerStatus = async () => (await cluster.workers.get({ name: "w1" })).status;

async function settle(name: string): Promise<TaskObject> {
  await cluster.tasks.create(aTask(name));
  await untilSettled(name);
  return get(name);
}

test("a batch that a reorganisation takes back is settled again, byte for byte, and paid once", async () => {
  await start();
  const { status } = await settle("reorganised");
  const before = await cluster.chain.lastBatch();
  const since = (await settledOf("reorganised"))?.lastTransitionTime;
  cluster.setTicking(false);
  const depth = (await cluster.chain.blockNumber()) - (status?.settlement?.block ?? 0) + 1;
  await rpc("anvil_reorg", depth, []);
  expect((await cluster.chain.lastBatch()).sequence).toBe(before.sequence - 1n);
  cluster.setTicking(true);
  await expect
    .poll(async () => (await settledOf("reorganised"))?.lastTransitionTime, { timeout: 30_000 })
    .not.toBe(since);
  await untilSettled("reorganised");
  expect(await cluster.chain.lastBatch()).toEqual(before);
  expect((await get("reorganised")).status?.settlement).toMatchObject({
    ...{ batch: 1, index: 0, proof: status?.settlement?.proof, rewardWei: String(oneToken) },
  });
  await settle("after-it");
  await expect
    .poll(async () => (await workerStatus())?.earnings?.creditedWei, { timeout: 10_000 })
    .toBe(String((16n * oneToken) / 10n));
});

test("a batch that settles a task twice is rolled back by proof, and what else was in it is settled anew", async () => {
  // The operator is made to forget that it settled the task, and its validators sign whatever it asks.
  const first = await get("reorganised");
  const context = { generation: 1, now: new Date().toISOString() };
  const forgotten = unsettleTask(first.status as never, { reason: "Forgotten", message: "by a test" }, context);
  const { settlement: _, ...status } = { ...first.status, ...forgotten };
  await cluster.tasks.updateStatus({ ...first, status: status as never });
  await start();
  await expect.poll(async () => (await get("reorganised")).status?.settlement?.batch, { timeout: 30_000 }).toBe(3);
  const second = await get("reorganised");
  const innocent = await settle("innocent");
  expect(innocent.status?.settlement?.batch).toBe(4);
  // Else the forgetful operator would settle it for the third time.
  await cluster.tasks.delete({ namespace: "default", name: "reorganised" });
  const epoch = await cluster.chain.epoch();
  await proveDoubleSettlement(first, second);
  await expect.poll(async () => (await settledOf("innocent"))?.reason, { timeout: 30_000 }).toBe("RolledBack");
  await untilSettled("innocent");
  expect((await get("innocent")).status?.settlement?.batch).toBe(3);
  const header = await readSettledHeader(cluster.chain, 3n, 0);
  expect(header.header).toMatchObject({ epoch: epoch + 1n, taskCount: 1, settledWei: 3n * oneToken });
});

test("the command line proves a task by its name and pays what is final, once", async () => {
  await start();
  await settle("to-be-proven");
  const proven = await run("verify", "task", "to-be-proven");
  expect(proven.out).toContain("Task to-be-proven is settled as its status says.");
  expect(proven.out).toMatch(/^-- {6}Final/m);
  expect(proven.status).toBe(0);
  await expect(run("verify", "task", "no-such-task")).rejects.toMatchObject({ code: "TaskNotFound" });
  await expect(run("claim", "--all")).rejects.toMatchObject({ code: "NotFinal" });
  await stop();
  await rpc("evm_increaseTime", 86_400);
  await rpc("evm_mine");
  expect((await run("verify", "task", "to-be-proven")).out).toMatch(/^ok {6}Final/m);
  const { owner } = cluster.member("w1");
  const dry = await run("claim", "--account", owner, "--dry-run");
  expect(dry.out).toContain("3.2 IFR");
  expect(await cluster.chain.balanceOf(owner)).toBe(0n);
  expect((await run("claim", "--account", owner)).status).toBe(0);
  expect(await cluster.chain.balanceOf(owner)).toBe((32n * oneToken) / 10n);
  await expect(run("claim", "--account", owner)).rejects.toMatchObject({ code: "NothingToClaim" });
  expect((await run("claim", "--all")).out).toMatch(/for \d+ accounts/);
});

/** By somebody who has read both statuses and the chain. */
async function proveDoubleSettlement(first: TaskObject, second: TaskObject): Promise<void> {
  const { slashing, settlement } = cluster.chain.addresses;
  const headers = await Promise.all([1n, 2n, 3n, 4n].map((sequence) => readSettledHeader(cluster.chain, sequence, 0)));
  const path = headers.map(({ header }) => header);
  const placeOf = ({ spec, status }: TaskObject) => {
    const { message, digest } = status!.receipt!;
    const { taskId, attempt, worker } = message;
    const signed = { taskId, attempt, receiptDigest: digest, worker, requester: spec.requester, rewardWei: oneToken };
    const task = { ...signed, statementHash: `0x${"0".repeat(64)}` };
    return { task, proof: status?.settlement?.proof };
  };
  const sender = new Wallet(developmentAccounts(10)[5]!.privateKey, cluster.chain.provider);
  const proof = loadArtifact("SlashingManager").abi.encodeFunctionData("proveDoubleSettlement", [
    ...[path.slice(0, 3), placeOf(first), placeOf(second)],
  ]);
  await (await sender.sendTransaction({ to: slashing, data: proof })).wait();
  const rollBack = loadArtifact("Settlement").abi.encodeFunctionData("rollBack", [path[1], path.slice(2)]);
  await (await sender.sendTransaction({ to: settlement, data: rollBack })).wait();
}

async function run(...args: string[]): Promise<{ status: number | undefined; out: string }> {
  const dir = dirname(cluster.config.kubeconfigPath ?? "");
  const file = async (name: string, text: string) => {
    await writeFile(join(dir, name), text);
    return join(dir, name);
  };
  let status: number | undefined;
  const lines: string[] = [];
  const program = new Command().exitOverride();
  addChainCommands(program, {
    env: {
      KUBECONFIG: cluster.config.kubeconfigPath,
      INFERIUM_RPC_URL: cluster.config.chain.rpcUrl,
      INFERIUM_ADDRESSES_FILE: await file("addresses.json", JSON.stringify(cluster.config.chain.addresses)),
      INFERIUM_KEY_FILE: await file("payer", developmentAccounts(10)[6]!.privateKey),
    },
    io: { out: (line) => void lines.push(line), note: () => undefined },
    clock: systemClock,
    signal: new AbortController().signal,
    setExitStatus: (code) => {
      status = code;
    },
  });
  await program.parseAsync(args, { from: "user" });
  return { status, out: lines.join("\n") };
}
