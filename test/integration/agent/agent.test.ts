import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { buildWorkerNode, type KubeWorkerNode } from "../../../src/agent/worker-node.ts";
import { writeFakeNvidiaSmi } from "../../../src/embedded/nodes/fake-nvidia-smi.ts";
import { nodeProfiles } from "../../../src/embedded/nodes/node-profiles.ts";
import { createClient } from "../../../src/kube/client.ts";
import { aSlice } from "../../unit/agent/a-reading.ts";
import { aDocument, aGpuElement } from "../../unit/agent/nvidia-smi/a-document.ts";
import { AgentCluster, address, until } from "./agent-cluster.ts";
import { FakeSmi } from "./fake-smi.ts";

let cluster: AgentCluster;
let fake: FakeSmi;
let agents: { stop: () => void; ended: Promise<void> }[] = [];

beforeAll(async () => {
  cluster = await AgentCluster.start();
});
afterAll(() => cluster.close());
beforeEach(() => {
  fake = new FakeSmi();
});
afterEach(async () => {
  for (const agent of agents) agent.stop();
  await Promise.all(agents.map(({ ended }) => ended));
  agents = [];
  fake.remove();
});

function startAgent(nodeName: string, config: Partial<Parameters<AgentCluster["startAgent"]>[0]> = {}) {
  const agent = cluster.startAgent({ nodeName, path: fake.path, ...config });
  agents.push(agent);
  return agent;
}

const a100 = aDocument([aGpuElement({ product: "NVIDIA A100-SXM4-80GB", total: "81920 MiB" })]);
const hasTier = (workerNode: KubeWorkerNode) => workerNode.status?.tier !== undefined;
const isUnreadable = ({ status }: KubeWorkerNode) => status?.hardware?.summary?.startsWith("unreadable") ?? false;

/** Ends when the agent has gone through two more rounds: the fake counts how often it is run. */
async function twoRounds(): Promise<void> {
  const before = fake.countRuns();
  await until(() => fake.countRuns() >= before + 3);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("the agent", () => {
  test("inspects a simulated GPU node, labels it and keeps its WorkerNode", async () => {
    const profile = nodeProfiles.find(({ name }) => name === "gpu-high-a100")!;
    await writeFakeNvidiaSmi(fake.folder, profile);
    await cluster.createNode(profile.name, { labels: { ...profile.labels }, gpus: 4 });
    startAgent(profile.name, { owner: address });

    const workerNode = await cluster.workerNode(profile.name, hasTier);
    expect(workerNode.spec).toMatchObject({
      nodeName: profile.name,
      address,
      owner: address,
      role: "Worker",
      slots: 2,
    });
    expect(workerNode.status).toMatchObject({
      tier: "High",
      capability: { level: "Inspected" },
      hardware: { source: "NvidiaSmi", simulated: true, summary: "4x NVIDIA A100-SXM4-80GB, 81920 MiB (simulated)" },
    });
    expect(workerNode.status?.hardware?.gpus).toHaveLength(4);
    await until(async () => (await cluster.eventReasons(profile.name)).includes("HardwareRead"));
    const node = await cluster.clients.nodes.get({ name: profile.name });
    expect(node.metadata.labels).toMatchObject({ "inferium.io/tier": "High", "inferium.io/simulated": "true" });
  });

  test("owns hardware, capability and tier of the status, and no more", async () => {
    fake.print(a100);
    await cluster.createNode("owned", { gpus: 1 });
    startAgent("owned");
    const { metadata } = await cluster.workerNode("owned", hasTier);
    type Entry = { manager: string; subresource?: string; fieldsV1: { "f:status"?: object } };
    const entries = (metadata.managedFields ?? []) as Entry[];
    const status = entries.find(({ manager, subresource }) => manager === "inferium-agent" && subresource === "status");
    const owned = status?.fieldsV1["f:status"] ?? {};
    expect(Object.keys(owned).sort()).toEqual(["f:capability", "f:hardware", "f:tier"]);
  });

  test("tells facts of the GPUs by labels of its own where nobody else does", async () => {
    fake.print(a100);
    await cluster.createNode("bare", { gpus: 1 });
    startAgent("bare");
    await until(async () => {
      const { metadata } = await cluster.clients.nodes.get({ name: "bare" });
      return metadata.labels?.["inferium.io/gpu.product"] === "NVIDIA-A100-SXM4-80GB";
    });
  });

  test("believes what a DRA driver publishes where no device plugin counts the GPUs", async () => {
    fake.print(a100);
    await cluster.createNode("dra");
    await cluster.createNode("dra-other");
    const uuid = "GPU-11111111-2222-3333-4444-555555555555";
    const slice = aSlice([{ uuid, product: "NVIDIA A100-SXM4-80GB", memory: "81920Mi" }]);
    const pool = { name: "dra", generation: 1, resourceSliceCount: 1 };
    await cluster.clients.slices.create({ ...slice, spec: { ...slice.spec, nodeName: "dra", ...{ pool } } });
    startAgent("dra");
    startAgent("dra-other");
    const { status } = await cluster.workerNode("dra", hasTier);
    expect(status).toMatchObject({ tier: "High", capability: { level: "Inspected" } });
    // The same reading on a node of which no slice speaks.
    expect((await cluster.workerNode("dra-other", hasTier)).status).toMatchObject({
      capability: { level: "Declared" },
    });
  });

  test("writes nothing while nothing changes", async () => {
    fake.print(a100, 'echo x >> "$here/runs"');
    await cluster.createNode("quiet", { gpus: 1 });
    startAgent("quiet");
    await cluster.workerNode("quiet", hasTier);
    await until(async () => (await cluster.eventReasons("quiet")).length > 0);
    await twoRounds();
    const before = cluster.countWrites();
    await twoRounds();
    expect(cluster.countWrites()).toBe(before);
  });

  test("leaves a spec that someone edits as it is, and heeds a tier override", async () => {
    fake.print(a100, 'echo x >> "$here/runs"');
    await cluster.createNode("edited", { gpus: 1 });
    startAgent("edited");
    await cluster.workerNode("edited", ({ status }) => status?.tier === "High");
    const spec = { slots: 7, cordoned: true, tierOverride: "Low" };
    await cluster.clients.workerNodes.patch({ name: "edited" }, { kind: "merge", body: { spec } });
    const lowered = await cluster.workerNode("edited", ({ status }) => status?.tier === "Low");
    expect(lowered.spec).toMatchObject(spec);
    await twoRounds();
    expect((await cluster.clients.workerNodes.get({ name: "edited" })).spec).toMatchObject(spec);
    const node = await cluster.clients.nodes.get({ name: "edited" });
    expect(node.metadata.labels?.["inferium.io/tier"]).toBe("High");
  });

  test("keeps what the operator wrote into the status", async () => {
    fake.print(a100);
    await cluster.createNode("shared", { gpus: 1 });
    startAgent("shared");
    await cluster.workerNode("shared", hasTier);
    const operator = createClient(cluster.transport, cluster.clients.workerNodes.type, {
      fieldManager: "inferium-operator",
    });
    await operator.applyStatus({
      metadata: { name: "shared" },
      status: { active: 1, bond: { stakeWei: "5", state: "Active" } },
    });
    fake.write("exit 9");
    const { status } = await cluster.workerNode("shared", isUnreadable);
    expect(status).toMatchObject({ active: 1, bond: { stakeWei: "5", state: "Active" }, tier: "Low" });
  });

  test("says that hardware cannot be read, and that it can again", async () => {
    fake.print(a100);
    await cluster.createNode("broken", { gpus: 1 });
    startAgent("broken");
    await cluster.workerNode("broken", ({ status }) => status?.tier === "High");
    fake.write("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18");
    const { status } = await cluster.workerNode("broken", isUnreadable);
    expect(status).toMatchObject({
      tier: "Low",
      capability: { level: "Declared" },
      hardware: { source: "None", gpus: [] },
    });
    expect(status?.hardware?.summary).toContain("DriverMismatch");
    await until(async () => (await cluster.eventReasons("broken")).includes("HardwareUnreadable"));
    fake.print(a100);
    await cluster.workerNode("broken", ({ status: again }) => again?.tier === "High");
  });

  test("does not believe an absurd number of GPUs", async () => {
    fake.print(aDocument([aGpuElement()], "18446744073709551615"));
    await cluster.createNode("absurd", { gpus: 1 });
    startAgent("absurd");
    const { status } = await cluster.workerNode("absurd", isUnreadable);
    expect(status).toMatchObject({ tier: "Low", hardware: { source: "None", gpus: [] } });
    expect(status?.hardware?.summary).toContain("reports 18446744073709551615 attached GPUs");
  });

  test("puts a label back that someone took away", async () => {
    fake.print(a100);
    await cluster.createNode("relabelled", { gpus: 1 });
    startAgent("relabelled");
    const tier = async () =>
      (await cluster.clients.nodes.get({ name: "relabelled" })).metadata.labels?.["inferium.io/tier"];
    await until(async () => (await tier()) === "High");
    const body = { metadata: { labels: { "inferium.io/tier": null } } };
    await cluster.clients.nodes.patch({ name: "relabelled" }, { kind: "merge", body });
    await until(async () => (await tier()) === "High");
  });

  test("goes on until its node appears, and serves health and metrics meanwhile", async () => {
    fake.print(a100);
    const healthPort = await freePort();
    const get = async (path: string) => fetch(`http://127.0.0.1:${healthPort}${path}`);
    startAgent("late", { healthPort });
    await until(async () => (await get("/readyz").catch(() => undefined))?.status === 503);
    expect((await get("/healthz")).status).toBe(200);
    await until(async () => (await (await get("/readyz")).text()).includes('"late" not found'));
    await cluster.createNode("late", { gpus: 1 });
    await until(async () => (await get("/readyz")).status === 200);
    const metrics = await (await get("/metrics")).text();
    expect(metrics).toMatch(/^inferium_gpu_info\{uuid="GPU-[^"]+",product="NVIDIA A100-SXM4-80GB",.*\} 1$/m);
    expect(metrics).toMatch(/^inferium_gpu_memory_total_bytes\{.*\} 85899345920$/m);
    expect(metrics).toMatch(/^inferium_gpu_healthy\{.*\} 1$/m);
  });

  test("writes no status for a WorkerNode of another key", async () => {
    fake.print(a100, 'echo x >> "$here/runs"');
    await cluster.createNode("taken", { gpus: 1 });
    const other = {
      nodeName: "taken",
      workerNodeName: "taken",
      address: `0x${"1".repeat(40)}`,
      role: "Worker",
      mode: "Pooled",
      owner: undefined,
      slots: 1,
    } as const;
    await cluster.clients.workerNodes.create(buildWorkerNode(other));
    const healthPort = await freePort();
    startAgent("taken", { healthPort });
    await until(() => fake.countRuns() >= 2);
    expect((await cluster.clients.workerNodes.get({ name: "taken" })).status?.hardware).toBeUndefined();
    expect(await (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).text()).toContain(
      "WorkerNode taken is Worker 0x1111",
    );
  });

  test("a node without GPUs is inspected and Low", async () => {
    await cluster.createNode("cpu");
    startAgent("cpu", { role: "Validator" });
    const { status, spec } = await cluster.workerNode("cpu", hasTier);
    expect(spec.role).toBe("Validator");
    expect(status).toMatchObject({
      tier: "Low",
      capability: { level: "Inspected" },
      hardware: { source: "None", simulated: false, summary: "no GPU", gpus: [] },
    });
  });

  test("ends when it is told to", async () => {
    fake.print(a100);
    await cluster.createNode("ending", { gpus: 1 });
    const agent = startAgent("ending", { intervalMs: 3_600_000 });
    await cluster.workerNode("ending", hasTier);
    agent.stop();
    await expect(agent.ended).resolves.toBeUndefined();
  });
});
