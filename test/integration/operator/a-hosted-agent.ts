/** An Agent that doubles numbers, its caller, and a gateway that brings windows of calls of it. */
import { randomBytes } from "node:crypto";
import { silentLogger } from "../../../src/base/log.ts";
import { loadArtifact } from "../../../src/chain/artifacts.ts";
import { endpointSlices } from "../../../src/kube/app-resources.ts";
import { createClient } from "../../../src/kube/client.ts";
import { secrets } from "../../../src/kube/core-resources.ts";
import type { AgentObject } from "../../../src/operator/kinds.ts";
import type { OpenedCall } from "../../../src/pool/agents.ts";
import { createPoolClient, type PoolClient } from "../../../src/pool/client.ts";
import { readInline, writeInline } from "../../../src/pool/inline-tensors.ts";
import { createSigner } from "../../../src/pool/signer.ts";
import type { CallWindow } from "../../../src/protocol/call-window.ts";
import { splitCalls } from "../../../src/protocol/call-window.ts";
import { aCallWindow, tensorOf, type WindowPlan } from "../../support/a-call-window.ts";
import { type Cluster, model, type RunningOperator, requester } from "./operator-fixture.ts";

export const gatewayKey = `0x${"6a".repeat(32)}`;
export const gateway = createSigner(gatewayKey);
/** The operator's configuration of agents. */
export const agentsConfig = {
  ...{ image: "inferium:test", imagePullPolicy: "Never", environment: {} },
  gateways: [gateway.address],
};
export const price = "0.01";
export const priceWei = 10n ** 16n;
export const aliceKey = "a-secret-of-alice-0001";

export function connectGateway(
  cluster: Pick<Cluster, "poolCa">,
  operator: Pick<RunningOperator, "url">,
  signer = gateway,
): PoolClient {
  const { url } = operator;
  const options = { url, caPem: cluster.poolCa, signer, role: "Gateway" as const, logger: silentLogger };
  return createPoolClient({ ...options, maxAttempts: 1 });
}

/** The agent's id on the chain. */
export async function registerAgent(cluster: Cluster, host: string): Promise<string> {
  const { signer, addresses } = cluster.admin;
  const { abi } = loadArtifact("AgentRevenue");
  const salt = `0x${"5a".repeat(32)}`;
  const sent = await signer.sendTransaction({
    to: addresses.agentRevenue,
    data: abi.encodeFunctionData("register", [salt, host]),
  });
  const receipt = await sent.wait();
  const [log] = receipt?.logs ?? [];
  return String(log?.topics[1]);
}

export async function createKeySecret(cluster: Cluster, name: string, key: string): Promise<void> {
  const data = { key: Buffer.from(key).toString("base64") };
  await createClient(cluster.transport, secrets).apply({ metadata: { name, namespace: "default" }, data });
}

export function anAgent(name: string, agentId: string, change: object = {}): AgentObject {
  return {
    apiVersion: "inferium.io/v1alpha1",
    kind: "Agent",
    metadata: { name, namespace: "default" },
    spec: {
      agentId,
      model: { uri: "https://models.test/double.onnx", digest: model },
      host: { worker: "w1" },
      price,
      callers: [
        {
          id: "alice",
          keyRef: { name: "alice-key" },
          requester: requester.address,
          orderRef: { name: "order" },
          budget: "0.2",
        },
      ],
      ...change,
    },
  } as unknown as AgentObject;
}

/** As the cluster's own controllers would, once a replica is ready. */
export async function createSlice(cluster: Cluster, agent: string): Promise<void> {
  const labels = { "inferium.io/agent": agent, "kubernetes.io/service-name": `agent-${agent}` };
  await createClient(cluster.transport, endpointSlices).apply({
    metadata: { name: `agent-${agent}-1`, namespace: "default", labels },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.1.2.3"], conditions: { ready: true } }],
    ports: [{ name: "http", port: 8080 }],
  });
}

export interface PlannedWindow {
  readonly window: CallWindow;
  served(seed?: string, samples?: number): ReturnType<typeof aCallWindow>;
}

export function planWindow(agentId: string, plan: WindowPlan = {}): PlannedWindow {
  const atMs = Date.now() - 1_000;
  const nonce = `0x${randomBytes(16).toString("hex")}`;
  const served = (seed?: string, samples?: number) =>
    aCallWindow({
      ...{ agentId, nonce, priceWei, atMs, ...plan },
      ...(seed ? { seed } : {}),
      ...(samples ? { samples } : {}),
    });
  const { seed: _, samples: __, ...window } = served().statement;
  return { window: window as CallWindow, served };
}

/** As a gateway opens them: with tensors, or, of bodies, with nothing beside the leaves. */
export function toOpened(served: ReturnType<typeof aCallWindow>): OpenedCall[] {
  const inputs = splitCalls(readInline(served.input), served.answered);
  const outputs = splitCalls(readInline(served.output), served.answered);
  let at = 0;
  return served.opened.map(({ leaf, proof }) => {
    const call = { leaf: { windowId: served.statement.windowId, ...leaf }, proof };
    if (served.content === "Digests") return call;
    const place = leaf.outcome === "Ok" ? at++ : -1;
    const input = inputs[place] ?? tensorOf("x", 0);
    const output = outputs[place];
    return {
      ...call,
      input: { kind: "tensors", tensors: writeInline(input) },
      ...(output ? { output: { kind: "tensors" as const, tensors: writeInline(output) } } : {}),
    };
  });
}
