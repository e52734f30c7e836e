import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { isConditionTrue } from "../../../src/api/v1alpha1/conditions.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { deployments } from "../../../src/kube/app-resources.ts";
import { createClient } from "../../../src/kube/client.ts";
import { agents } from "../../../src/operator/kinds.ts";
import { followAgents } from "../../../src/pool/agent-client.ts";
import type { PoolClient } from "../../../src/pool/client.ts";
import { writeInline } from "../../../src/pool/inline-tensors.ts";
import { createSigner } from "../../../src/pool/signer.ts";
import type { CallWindow } from "../../../src/protocol/call-window.ts";
import { judgeItem } from "../../../src/validator/judge.ts";
import { tensorOf, twice, type WindowPlan } from "../../support/a-call-window.ts";
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
import { executeTwice, runHost } from "./scripted-host.ts";
import { connect, type Running, runValidator } from "./scripted-members.ts";

const validators = ["v1", "v2", "v3"];
let cluster: Cluster;
let operator: RunningOperator;
let agentId: string;
let pool: PoolClient;
const running: Running[] = [];
const never = new AbortController();

beforeAll(async () => {
  cluster = await startCluster({ workers: ["w1", "w2"], validators });
  await cluster.order("order");
  agentId = await registerAgent(cluster, cluster.member("w1").owner);
  operator = await startOperator(cluster, { agents: agentsConfig });
  pool = connectGateway(cluster, operator);
  const judge = (item: Parameters<typeof judgeItem>[1]) =>
    judgeItem({ execute: executeTwice, domain: cluster.domain }, item, never.signal);
  running.push(...validators.map((name) => runValidator(cluster, operator, name, { script: { judge } })));
  await createKeySecret(cluster, "alice-key", aliceKey);
  await objects().create(anAgent("doubler", agentId));
  await createSlice(cluster, "doubler");
}, 60_000);

afterAll(async () => {
  await Promise.all(running.splice(0).map((member) => member.stop()));
  await pool?.close();
  await operator?.stop();
  await cluster?.close();
});

const objects = () => createClient(cluster.transport, agents);
const readAgent = (name = "doubler") => objects().get({ namespace: "default", name });
const aWindow = (plan?: WindowPlan) => planWindow(agentId, plan);
const readTask = (name: string) => cluster.tasks.get({ namespace: "default", name });

/** As a gateway does it; the name of the window's task. */
async function settle(plan: WindowPlan = {}): Promise<string> {
  const { window, served } = aWindow(plan);
  const { seed, samples } = await pool.window(window);
  await pool.open({ windowId: window.windowId, calls: toOpened(served(seed, samples)) });
  return `doubler-${window.windowId.slice(2, 14)}`;
}

describe("an agent", () => {
  test("gets replicas placed by tier that are its own, and stands in the gateways' directory", async () => {
    const following = new AbortController();
    const directory = followAgents({ client: pool, clock: systemClock, logger: silentLogger, waitMs: 2_000 });
    const done = directory.run(following.signal);
    await expect
      .poll(() => directory.current(), { timeout: 30_000 })
      .toMatchObject([
        {
          ...{ agentId, name: "doubler", protocol: "oip", draining: false, backends: ["http://10.1.2.3:8080"] },
          ...{ priceWei: String(priceWei), callers: [{ id: "alice", budgetWei: String(2n * 10n ** 17n) }] },
        },
      ]);
    following.abort();
    await done;
    const deployment = await createClient(cluster.transport, deployments).get({
      namespace: "default",
      name: "agent-doubler",
    });
    const { uid } = (await readAgent()).metadata;
    expect(deployment.metadata.ownerReferences).toMatchObject([
      { kind: "Agent", name: "doubler", uid, controller: true },
    ]);
    expect(deployment.spec).toMatchObject({
      replicas: 1,
      template: {
        spec: {
          automountServiceAccountToken: false,
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [{ key: "inferium.io/tier", values: ["Mid", "High"] }] }],
              },
            },
          },
        },
      },
    });
    const { status } = await readAgent();
    expect(status).toMatchObject({ observedGeneration: 1, readyReplicas: 1, desiredReplicas: 1 });
    expect(isConditionTrue(status?.conditions as never, "Ready")).toBe(true);
  });

  test("has a window of calls settled, and its revenue split as the chain says", async () => {
    const host = runHost(cluster, operator, "w1");
    running.push(host);
    const name = await settle({ calls: [1, 2, undefined, 4, 5, 6, 7, 8, 9, 10, 11] });
    await expect.poll(async () => (await readTask(name)).status?.phase, { timeout: 30_000 }).toBe("Succeeded");
    expect(running.flatMap(({ refusals }) => refusals)).toEqual([]);
    const { status, spec } = await readTask(name);
    expect(spec.reward).toBe("0.1");
    expect(status?.assignment?.worker).toBe("w1");
    const { batch } = await connectValidator((client) => client.batch({ sequence: String(status?.settlement?.batch) }));
    const revenue = 10n * priceWei;
    const creator = await cluster.admin.signer.getAddress();
    const perVote = (revenue * 1_000n) / 10_000n / BigInt(batch.tasks[0]?.votes.length ?? 0);
    // What does not divide between the votes is the creator's.
    expect(batch.balances[creator]).toBe(
      String((revenue * 7_000n) / 10_000n - perVote * BigInt(batch.tasks[0]?.votes.length ?? 0)),
    );
    expect(batch.balances[cluster.member("w1").owner]).toBe(String((revenue * 2_500n) / 10_000n));
    expect(batch.balances[treasury]).toBe(String((revenue * 500n) / 10_000n));
    for (const { payee } of batch.tasks[0]?.votes ?? []) expect(batch.balances[payee]).toBe(String(perVote));
    expect(batch.header.settledWei).toBe(String(revenue));
    await expect
      .poll(async () => (await readAgent()).status?.calls, { timeout: 30_000 })
      .toMatchObject({ count: 11, failed: 1, windows: 1, settledWindows: 1, revenueIfr: "0.1", settledIfr: "0.1" });
  });

  test("of the samples is taken by the server, and says what is in its way", async () => {
    const sample = parse(await readFile(new URL("../../../manifests/samples/agent.yaml", import.meta.url), "utf8"));
    await objects().create(sample);
    await expect
      .poll(async () => (await readAgent("sample-digits")).status?.conditions?.find((one) => one.type === "Accepted"), {
        timeout: 30_000,
      })
      .toMatchObject({ status: "False", reason: "HostUnknown" });
    await objects().delete({ namespace: "default", name: "sample-digits" });
  });

  const refused: readonly [string, object, RegExp][] = [
    ["a price and no id", { agentId: undefined }, /a price needs agentId/],
    ["a price and callers that nobody pays for", { callers: [{ id: "bob", keyRef: { name: "k" } }] }, /need requester/],
    ["a price for anyone", { anyone: true }, /anyone is for free agents/],
    ["nobody to call it", { price: "0", callers: [] }, /name callers/],
    [
      "an OpenAI server whose answers are to be run again",
      { protocol: "OpenAI", container: { image: "vllm" } },
      /must be None/,
    ],
    ["more replicas at least than at most", { replicas: { min: 3, max: 2 } }, /cannot be larger/],
    ["a quorum that is no majority", { verification: { validators: 4, quorum: 2 } }, /majority/],
    ["a price below one wei", { price: "0.0000000000000000001" }, /spec.price/],
  ];
  test.each(refused)("with %s is refused by the server", async (_, change, message) => {
    await expect(objects().create(anAgent("bad", agentId, change))).rejects.toThrow(message);
  });

  test("takes a window once: again it has the same seed, with other words it is refused", async () => {
    const { window } = aWindow({ calls: [1, 2, 3] });
    const first = await pool.window(window);
    expect(await pool.window(window)).toEqual(first);
    await expect(pool.window({ ...window, root: `sha256:${"0".repeat(64)}` })).rejects.toMatchObject({
      code: "WindowChanged",
    });
  });

  test("refuses windows that cost more than the caller may spend, or than the calls do", async () => {
    const many = aWindow({ calls: Array.from({ length: 12 }, (_, value) => value) }).window;
    await expect(pool.window(many)).rejects.toMatchObject({ code: "BudgetExceeded" });
    const dear = { ...aWindow({ calls: [1] }).window, revenueWei: String(2n * priceWei) };
    await expect(pool.window(dear)).rejects.toMatchObject({ code: "InvalidWindow" });
  });

  const wrong: readonly [string, (window: CallWindow) => Partial<CallWindow>, string][] = [
    ["of another agent", () => ({ agentId: `0x${"0".repeat(64)}` }), "UnknownAgent"],
    ["of a caller that its id does not name", () => ({ callerId: "bob" }), "InvalidWindow"],
    ["with more failures than calls", () => ({ failed: 7 }), "InvalidWindow"],
    ["from long ago", () => ({ firstAtMs: 1 }), "InvalidWindow"],
    ["from the future", () => ({ lastAtMs: Date.now() + 3_600_000 }), "InvalidWindow"],
  ];
  test.each(wrong)("refuses a window %s", async (_, change, code) => {
    const { window } = aWindow({ calls: [1] });
    await expect(pool.window({ ...window, ...change(window) })).rejects.toMatchObject({ code });
  });

  test("refuses opened calls that are not what the root says", async () => {
    const { window, served } = aWindow({ calls: [1, 2] });
    const { seed, samples } = await pool.window(window);
    const calls = toOpened(served(seed, samples));
    const [first, second] = calls;
    if (!first || !second) throw new Error("the window opens two calls");
    const other = toOpened(aWindow({ calls: [8, 9] }).served(seed, samples));
    const { windowId } = window;
    const tensors = writeInline(tensorOf("y", 99));
    for (const hostile of [
      [first],
      [first, { ...second, proof: first.proof }],
      [first, { ...second, output: { kind: "tensors" as const, tensors } }],
      [first, { ...second, input: { kind: "tensors" as const, tensors } }],
      [first, { ...second, output: { kind: "body" as const, base64: "AA==" } }],
      other,
      other.map((call) => ({ ...call, leaf: { ...call.leaf, windowId } })),
    ])
      await expect(pool.open({ windowId, calls: hostile })).rejects.toMatchObject({ code: "InvalidCalls" });
    await expect(pool.open({ windowId: `0x${"0".repeat(64)}`, calls })).rejects.toMatchObject({
      code: "UnknownWindow",
    });
    expect(await pool.open({ windowId, calls })).toEqual({ status: "Recorded" });
    expect(await pool.open({ windowId, calls })).toEqual({ status: "Duplicate" });
  });

  test("is spoken for by known gateways only, and gateways do nothing else", async () => {
    const stranger = connectGateway(cluster, operator, createSigner(`0x${"6b".repeat(32)}`));
    await expect(stranger.agents({ version: "", waitMs: 0 })).rejects.toMatchObject({ code: "UnknownGateway" });
    await stranger.close();
    await expect(pool.claim({ slots: 1, models: [], waitMs: 0 })).rejects.toMatchObject({ code: "WrongRole" });
    const worker = connect(cluster, operator, "w2");
    await expect(worker.agents({ version: "", waitMs: 0 })).rejects.toMatchObject({ code: "WrongRole" });
    await worker.close();
  });

  test("has no windows that somebody else made a task of", async () => {
    const known = (await cluster.tasks.list({ namespace: "default" })).items[0];
    if (!known) throw new Error("there is a task of a window");
    const { type, model: hosted, input, calls } = known.spec;
    const forged = { metadata: { name: "forged", namespace: "default" }, spec: { type, model: hosted, input, calls } };
    await cluster.tasks.create({ apiVersion: known.apiVersion, kind: known.kind, ...forged } as never);
    await expect
      .poll(async () => (await readTask("forged")).status?.conditions?.find((one) => one.type === "Accepted"), {
        timeout: 30_000,
      })
      .toMatchObject({ status: "False", reason: "WindowUnknown" });
  });

  test("costs its host the bond where callers got something else than it signs", async () => {
    await running.pop()?.stop();
    running.push(runHost(cluster, operator, "w1", { signs: twice }));
    const lie = (input: Parameters<typeof twice>[0]) => tensorOf("y", 7 + (input.get("x")?.data[0] ?? 0));
    const name = await settle({ calls: [1, 2, 3], answer: lie });
    await expect.poll(async () => (await readTask(name)).status?.phase, { timeout: 30_000 }).toBe("Rejected");
    await expect
      .poll(async () => isConditionTrue((await readTask(name)).status?.conditions, "Slashed"), { timeout: 30_000 })
      .toBe(true);
    const { stakeWei } = await cluster.chain.node(cluster.member("w1").signer.address);
    expect(stakeWei).toBeLessThan(10_000n * oneToken);
    await expect.poll(async () => (await readAgent()).status?.calls?.lostWindows, { timeout: 30_000 }).toBe(1);
  });

  test("that is deleted takes no more calls, and goes when those in flight have ended", async () => {
    await objects().delete({ namespace: "default", name: "doubler" });
    await expect
      .poll(async () => (await pool.agents({ version: "", waitMs: 0 })).agents.map(({ draining }) => draining), {
        timeout: 30_000,
      })
      .toEqual([true]);
    await pool.load({ loads: [{ agentId, inFlight: 0, queued: 0, p95Ms: 1, callsPerSecond: 0 }] });
    await expect
      .poll(async () => (await objects().list({ namespace: "default" })).items.length, { timeout: 60_000 })
      .toBe(0);
    expect((await pool.agents({ version: "", waitMs: 0 })).agents).toEqual([]);
  });
});

async function connectValidator<T>(use: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = connect(cluster, operator, "v1");
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
