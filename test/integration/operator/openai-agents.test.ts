/** Windows of agents whose answers nobody can run again: settled where unverified work is, and checked for all that can be. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../../../src/kube/client.ts";
import { agents } from "../../../src/operator/kinds.ts";
import type { OpenedCall } from "../../../src/pool/agents.ts";
import type { PoolClient } from "../../../src/pool/client.ts";
import { readInline } from "../../../src/pool/inline-tensors.ts";
import type { SignedReceipt } from "../../../src/pool/wire.ts";
import { tensorOfDigest } from "../../../src/protocol/call-contents.ts";
import type { CallWindow } from "../../../src/protocol/call-window.ts";
import { hashWindow, joinCalls } from "../../../src/protocol/call-window.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { receiptTypes } from "../../../src/protocol/typed-data.ts";
import { bodyOf, tensorOf, type WindowPlan } from "../../support/a-call-window.ts";
import {
  agentsConfig,
  aliceKey,
  anAgent,
  connectGateway,
  createKeySecret,
  createSlice,
  planWindow,
  priceWei,
  registerAgent,
  toOpened,
} from "./a-hosted-agent.ts";
import { type Cluster, type RunningOperator, startCluster, startOperator, treasury } from "./operator-fixture.ts";
import { runHost } from "./scripted-host.ts";
import { connect, type Running, runValidator } from "./scripted-members.ts";

const spec = { protocol: "OpenAI", container: { image: "vllm:test" }, verification: { policy: "None" } };
let cluster: Cluster;
let operator: RunningOperator;
let agentId: string;
let pool: PoolClient;
const running: Running[] = [];

beforeAll(async () => {
  cluster = await startCluster({ workers: ["w1"], validators: ["v1", "v2", "v3"] });
  await cluster.order("order");
  agentId = await registerAgent(cluster, cluster.member("w1").owner);
  await createKeySecret(cluster, "alice-key", aliceKey);
  await objects().create(anAgent("chat", agentId, spec));
  await createSlice(cluster, "chat");
  await restart({ allowUnverified: false });
}, 60_000);

afterAll(async () => {
  await Promise.all(running.splice(0).map((member) => member.stop()));
  await pool?.close();
  await operator?.stop();
  await cluster?.close();
});

const objects = () => createClient(cluster.transport, agents);
const readAgent = () => objects().get({ namespace: "default", name: "chat" });
const readTask = (name: string) => cluster.tasks.get({ namespace: "default", name });
const accepted = async () => (await readAgent()).status?.conditions?.find(({ type }) => type === "Accepted");
const nameOf = ({ windowId }: CallWindow) => `chat-${windowId.slice(2, 14)}`;
const aWindow = (plan: WindowPlan = {}) => planWindow(agentId, { content: "Digests", ...plan });

async function restart(change: { readonly allowUnverified: boolean }): Promise<void> {
  await pool?.close();
  await operator?.stop();
  operator = await startOperator(cluster, { agents: agentsConfig, ...change });
  pool = connectGateway(cluster, operator);
}

async function open(plan: WindowPlan = {}): Promise<string> {
  const { window, served } = aWindow(plan);
  const { seed, samples } = await pool.window(window);
  await pool.open({ windowId: window.windowId, calls: toOpened(served(seed, samples)) });
  return nameOf(window);
}

describe("an agent that speaks OpenAI's API", () => {
  test("says at once that unverified work is not settled here, and takes no call that would be lost", async () => {
    await expect.poll(accepted, { timeout: 30_000 }).toMatchObject({
      status: "False",
      reason: "PolicyNotAllowed",
      message: expect.stringMatching(/no call is taken.*operator\.allowUnverified/s),
    });
    expect((await pool.agents({ version: "", waitMs: 0 })).agents).toEqual([]);
    await expect(pool.window(aWindow().window)).rejects.toMatchObject({ code: "UnknownAgent" });
  });

  test("is called where it is, and says that calls are not run again", async () => {
    await restart({ allowUnverified: true });
    await expect
      .poll(accepted, { timeout: 30_000 })
      .toMatchObject({ status: "True", message: expect.stringContaining("not run again") });
    await expect
      .poll(async () => (await pool.agents({ version: "", waitMs: 0 })).agents, { timeout: 30_000 })
      .toMatchObject([{ name: "chat", protocol: "openai", draining: false }]);
  });

  test("has what its host signs of a window checked, since no panel does", async () => {
    const name = await open({ calls: [1, undefined, 3] });
    const worker = connect(cluster, operator, "w1");
    const { assignments } = await worker.claim({ slots: 1, models: [], waitMs: 30_000 });
    const [assignment] = assignments;
    if (assignment?.calls === undefined) throw new Error("the window is its host's to sign");
    expect(assignment).toMatchObject({ task: name, calls: { content: "Digests" } });
    const { signer } = cluster.member("w1");
    const sign = async (codeDigest: string, output: typeof assignment.calls.output) => {
      const zeros = `0x${"0".repeat(64)}`;
      const message = {
        ...{ taskId: assignment.taskId, attempt: assignment.attempt, worker: signer.address, codeDigest },
        ...{ modelDigest: `0x${assignment.model.digest.slice(7)}`, imageDigest: zeros, inputDigest: zeros },
        ...{
          outputDigest: `0x${digestTensors(readInline(output)).slice(7)}`,
          runtime: "served",
          startedAtMs: 1,
          endedAtMs: 1,
        },
      };
      const receipt: SignedReceipt = {
        message,
        signature: await signer.signTypedData(cluster.domain, receiptTypes, message),
      };
      return worker.receipt({
        ...{ namespace: "default", task: name },
        outcome: { kind: "Completed", receipt, output, items: 2 },
      });
    };
    const { statement, output } = assignment.calls;
    const other = { ...statement, revenueWei: "1" };
    await expect(sign(hashWindow(cluster.domain, other), output)).rejects.toMatchObject({ code: "InvalidReceipt" });
    const lie = { "0/sha256": { dtype: "uint8", shape: [32], data: Array.from({ length: 32 }, () => 7) } };
    await expect(sign(hashWindow(cluster.domain, statement), lie)).rejects.toMatchObject({ code: "InvalidReceipt" });
    expect(await sign(hashWindow(cluster.domain, statement), output)).toEqual({ status: "Recorded" });
    await worker.close();
  });

  test("is not paid where validators do not settle unverified work", async () => {
    running.push(...["v1", "v2", "v3"].map((validator) => runValidator(cluster, operator, validator)));
    const refusals = () => running.flatMap((member) => member.refusals);
    await expect.poll(() => refusals().length, { timeout: 30_000 }).toBeGreaterThan(0);
    expect(refusals()[0]).toContain("QuorumNotReached");
    await Promise.all(running.splice(0).map((member) => member.stop()));
  });

  test("has a window settled in a batch, split as the chain says, with what is not proven", async () => {
    const script = { allowUnverified: true };
    running.push(...["v1", "v2", "v3"].map((validator) => runValidator(cluster, operator, validator, { script })));
    running.push(runHost(cluster, operator, "w1"));
    const name = await open({ calls: [1, 2, undefined, 4, 5, 6, 7, 8, 9] });
    await expect.poll(async () => (await readTask(name)).status?.phase, { timeout: 30_000 }).toBe("Succeeded");
    const { status, spec: written } = await readTask(name);
    expect(written).toMatchObject({ reward: "0.08", verification: { policy: "None" }, calls: { content: "Digests" } });
    // Prompts and answers stay with the callers.
    expect(JSON.stringify(written)).not.toContain("role");
    expect(status).toMatchObject({ verdict: { result: "Unverified", policy: "None" } });
    expect(status?.verdict?.notProven?.join()).toMatch(/calls were not run again.*price.*signature/s);
    expect(status?.receipt?.message.runtime).toBe("not run again");
    await expect
      .poll(async () => (await readAgent()).status?.calls, { timeout: 30_000 })
      .toMatchObject({ count: 12, failed: 2, settledWindows: 2, lostWindows: 0, settledIfr: "0.1" });
    const client = connect(cluster, operator, "v1");
    const settled = await readTask(name);
    const { batch } = await client.batch({ sequence: String(settled.status?.settlement?.batch) });
    await client.close();
    const revenue = 10n * priceWei;
    const creator = await cluster.admin.signer.getAddress();
    expect(batch.balances).toEqual({
      [creator]: String((revenue * 6_000n) / 10_000n),
      [cluster.member("w1").owner]: String((revenue * 2_500n) / 10_000n),
      // Nobody voted: the validators' tenth is the treasury's.
      [treasury]: String((revenue * 1_500n) / 10_000n),
    });
  });

  test("has the bodies that a gateway shows compared, and its leaves in any case", async () => {
    const { window, served } = aWindow({ calls: [1, 2] });
    const { windowId } = window;
    const { seed, samples } = await pool.window(window);
    const calls = toOpened(served(seed, samples));
    const [first, second] = calls;
    if (!first || !second) throw new Error("the window opens two calls");
    const body = (value: number) => ({
      kind: "body" as const,
      base64: bodyOf(tensorOf("x", value)).toString("base64"),
    });
    const cheap = { ...second, leaf: { ...second.leaf, priceWei: "1" } };
    const tensors = { kind: "tensors" as const, tensors: {} };
    const hostile: (readonly OpenedCall[])[] = [
      [first],
      [second, first],
      [first, { ...second, proof: first.proof }],
      [first, cheap],
      [first, { ...second, input: body(9) }],
      [first, { ...second, output: body(2) }],
      [first, { ...second, input: tensors }],
      toOpened(aWindow({ calls: [1, 2] }).served(seed, samples)),
    ];
    for (const each of hostile)
      await expect(pool.open({ windowId, calls: each })).rejects.toMatchObject({ code: "InvalidCalls" });
    const shown = [{ ...first, input: body(1) }, second];
    expect(await pool.open({ windowId, calls: shown })).toEqual({ status: "Recorded" });
    expect(await pool.open({ windowId, calls })).toEqual({ status: "Duplicate" });
    const digests = joinCalls(calls.map(({ leaf }) => tensorOfDigest(leaf.outputDigest)));
    const { calls: written } = (await readTask(nameOf(window))).spec;
    expect(digestTensors(readInline((written?.output ?? {}) as never))).toBe(digestTensors(digests));
  });

  test("costs no caller more than its budget, and nothing twice", async () => {
    const many = aWindow({ calls: Array.from({ length: 11 }, (_, value) => value) }).window;
    await expect(pool.window(many)).rejects.toMatchObject({ code: "BudgetExceeded" });
    const { window } = aWindow({ calls: [1] });
    const first = await pool.window(window);
    expect(await pool.window(window)).toEqual(first);
    await expect(pool.window({ ...window, count: 2 })).rejects.toMatchObject({ code: "WindowChanged" });
    const dear = { ...aWindow({ calls: [1] }).window, revenueWei: String(2n * priceWei) };
    await expect(pool.window(dear)).rejects.toMatchObject({ code: "InvalidWindow" });
  });

  test("has no task of a window that pays for digests as if they had been run again", async () => {
    const known = (await cluster.tasks.list({ namespace: "default" })).items[0];
    if (!known) throw new Error("there is a task of a window");
    const { type, model, input, calls } = known.spec;
    const forged = { type, model, input, calls, verification: { policy: "Exact" } };
    const metadata = { name: "forged", namespace: "default" };
    const create = cluster.tasks.create({
      apiVersion: known.apiVersion,
      kind: known.kind,
      metadata,
      spec: forged,
    } as never);
    await expect(create).rejects.toThrow(/verification.policy must be None/);
  });
});
