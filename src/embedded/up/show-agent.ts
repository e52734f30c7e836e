/**
 * An agent, as a part of the demonstration: its creator registers it on the chain for a host, the operator runs its replica, a
 * gateway takes calls of it, and what they cost is settled in the same batches as everything else and shared by the chain's
 * split. Effects: a transaction, objects on the cluster, calls over HTTP.
 */
import { randomBytes } from "node:crypto";
import { type TransactionReceipt, Wallet } from "ethers";
import { labels } from "../../api/v1alpha1/labels.ts";
import { apiVersion } from "../../api/v1alpha1/meta.ts";
import type { Agent, InferenceTask } from "../../api/v1alpha1/types.ts";
import { agentResource, inferenceTaskResource } from "../../api/v1alpha1/types.ts";
import { systemClock } from "../../base/clock.ts";
import { InferiumError } from "../../base/errors.ts";
import { loadArtifact } from "../../chain/artifacts.ts";
import { createClient } from "../../kube/client.ts";
import { pods, secrets } from "../../kube/core-resources.ts";
import { defineResource } from "../../kube/resource.ts";
import { computeRevenueSplit } from "../../protocol/reward.ts";
import { giveEther } from "../chain/give-ether.ts";
import { loadMnist, pixelsPerImage } from "../demo/data/mnist.ts";
import type { ShownAgent } from "../demo/shown-agent.ts";
import { demoNamespace, orderSecret, type TaskManifest } from "../demo/workload.ts";
import { buildSecret, names } from "./identities.ts";
import { buildRolePod, processScheduler } from "./pods.ts";
import { findFreePorts } from "./ports.ts";
import { readBatch } from "./rewards.ts";
import { gatewayPod } from "./role-pods.ts";
import type { System } from "./start-system.ts";

export interface ShowAgentOptions {
  readonly system: System;
  /** Whose model is hosted. */
  readonly task: TaskManifest;
  readonly signal: AbortSignal;
}

const agentName = "digits";
const hostNode = "gpu-mid-l4";
const price = "0.01";
const calls = 64;
const callsInFlight = 8;
const waitMs = 120_000;

/** @throws InferiumError WaitTimeout, CallFailed, or the signal's reason */
export async function showAgent({ system, task, signal }: ShowAgentOptions): Promise<ShownAgent> {
  const startedAt = systemClock.monotonic();
  const { transport } = system.cluster;
  const host = system.members.find(({ name }) => name === hostNode);
  const { model } = task.spec;
  if (!host || !model)
    throw new InferiumError("DemoIncomplete", `There is no member ${hostNode}, or no model to host.`);
  const creator = new Wallet(`0x${randomBytes(32).toString("hex")}`);
  const agentId = await register(system, creator, host.owner);
  const key = randomBytes(24).toString("base64url");
  const [port = 0, healthPort = 0, backendPort = 0] = await findFreePorts(3);
  await Promise.all([
    createClient(transport, secrets).apply(buildSecret("digits-caller", { key }, demoNamespace)),
    createClient(transport, secrets).apply(
      buildSecret(names.memberKey("gateway"), { key: system.chain.accounts.gateway.privateKey }),
    ),
  ]);
  const agents = createClient(transport, defineResource<Agent>(agentResource));
  await createClient(transport, pods).create(buildRolePod(gatewayPod(system, { port, healthPort })));
  await agents.create(buildAgent({ agentId, model, backendPort, requester: system.chain.accounts.requester.address }));
  const wait = { signal, untilMs: systemClock.monotonic() + waitMs };
  const url = `http://127.0.0.1:${port}/v2/models/${agentName}`;
  const authorization = { authorization: `Bearer ${key}` };
  await until(wait, `the gateway to know agent ${agentName}`, async () => {
    const answer = await fetch(`${url}/ready`, { headers: authorization, signal }).catch(() => undefined);
    return answer?.ok === true;
  });
  const made = await makeCalls(`${url}/infer`, authorization, signal);
  const read = () => agents.get({ namespace: demoNamespace, name: agentName });
  await until(wait, `${calls} calls of agent ${agentName} to be settled`, async () => {
    const counted = (await read()).status?.calls;
    return counted?.count === calls && counted.settledWindows === counted.windows;
  });
  const seconds = Number(((systemClock.monotonic() - startedAt) / 1_000).toFixed(1));
  return { agent: agentName, host: hostNode, ...made, ...(await readSplit(system, creator.address)), seconds };
}

async function register({ chain }: System, creator: Wallet, host: string): Promise<string> {
  const { provider } = chain.client;
  await giveEther(provider, [creator.address]);
  const { abi } = loadArtifact("AgentRevenue");
  const data = abi.encodeFunctionData("register", [`0x${randomBytes(32).toString("hex")}`, host]);
  const sent = await creator.connect(provider).sendTransaction({ to: chain.addresses.agentRevenue, data });
  const receipt: TransactionReceipt | null = await sent.wait();
  const id = receipt?.logs[0]?.topics[1];
  if (id !== undefined) return id;
  throw new InferiumError("DemoIncomplete", `The transaction ${sent.hash} registered no agent.`);
}

interface AgentParts {
  readonly agentId: string;
  readonly model: { readonly uri: string; readonly digest: string };
  readonly backendPort: number;
  readonly requester: string;
}

function buildAgent({ agentId, model, backendPort, requester }: AgentParts): Agent {
  const { uri, digest } = model;
  return {
    apiVersion,
    kind: "Agent",
    metadata: { name: agentName, namespace: demoNamespace },
    spec: {
      agentId,
      model: { uri, digest },
      host: { worker: hostNode },
      port: backendPort,
      price,
      placement: { schedulerName: processScheduler, tolerations: [{ operator: "Exists" }] },
      callers: [{ id: "demo", keyRef: { name: "digits-caller" }, requester, orderRef: { name: orderSecret } }],
    },
  } as unknown as Agent;
}

/** Real images, a few at a time, each a call of its own. */
async function makeCalls(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Pick<ShownAgent, "calls" | "correct" | "medianMs">> {
  const { images, labels: truth } = await loadMnist("test");
  const times: number[] = [];
  let [next, correct] = [0, 0];
  const work = async () => {
    for (let index = next++; index < calls; index = next++) {
      const pixels = [...images.subarray(index * pixelsPerImage, (index + 1) * pixelsPerImage)];
      const body = JSON.stringify({
        inputs: [{ name: "pixels", shape: [1, pixelsPerImage], datatype: "UINT8", data: pixels }],
      });
      const startedAt = systemClock.monotonic();
      const answer = await fetch(url, {
        method: "POST",
        body,
        headers: { ...headers, "content-type": "application/json" },
        signal,
      });
      if (!answer.ok)
        throw new InferiumError("CallFailed", `Call ${index} of agent ${agentName}: ${await answer.text()}`);
      const { outputs } = (await answer.json()) as { outputs: { data: number[] }[] };
      times.push(systemClock.monotonic() - startedAt);
      if (outputs[0]?.data[0] === truth[index]) correct += 1;
    }
  };
  await Promise.all(Array.from({ length: callsInFlight }, work));
  times.sort((a, b) => a - b);
  return { calls, correct, medianMs: Number((times[Math.floor(times.length / 2)] ?? 0).toFixed(1)) };
}

/** From what the batches hold, and not from what was asked for. */
async function readSplit(
  { cluster }: System,
  creator: string,
): Promise<Pick<ShownAgent, "windows" | "revenueWei" | "split">> {
  const client = createClient(cluster.transport, defineResource<InferenceTask>(inferenceTaskResource));
  const { items } = await client.list({ namespace: demoNamespace, labelSelector: `${labels.agent}=${agentName}` });
  const total = { creator: 0n, host: 0n, validators: 0n, treasury: 0n };
  let revenueWei = 0n;
  for (const { status } of items) {
    const { batch = 0, index = 0 } = status?.settlement ?? {};
    const data = await readBatch(cluster.transport, batch);
    const settled = data?.tasks[index];
    if (!data || !settled?.agent)
      throw new InferiumError("DemoIncomplete", `Batch ${batch} holds no window at ${index}.`);
    const { payee: host, votes, agent } = settled;
    const credits = computeRevenueSplit({
      ...{
        revenueWei: BigInt(settled.rewardWei),
        creator: agent.creator,
        host,
        treasury: data.treasury,
        shares: agent.shares,
      },
      validatorPayees: votes.map(({ payee }) => payee),
    });
    revenueWei += BigInt(settled.rewardWei);
    total.creator += credits.get(creator) ?? 0n;
    total.host += credits.get(host) ?? 0n;
    total.treasury += credits.get(data.treasury) ?? 0n;
    total.validators += votes.reduce((sum, { payee }) => sum + (credits.get(payee) ?? 0n), 0n);
  }
  const { creator: made, host, validators, treasury } = total;
  const split = { creator: `${made}`, host: `${host}`, validators: `${validators}`, treasury: `${treasury}` };
  return { windows: items.length, revenueWei: revenueWei.toString(), split };
}

interface Wait {
  readonly signal: AbortSignal;
  readonly untilMs: number;
}

async function until({ signal, untilMs }: Wait, what: string, isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) {
    if (systemClock.monotonic() > untilMs)
      throw new InferiumError("WaitTimeout", `Waited ${waitMs / 1_000} s in vain for ${what}.`);
    await systemClock.sleep(150, signal);
  }
}
