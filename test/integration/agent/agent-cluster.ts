/** An API server with the WorkerNode kind, and agents that run against it. Everything is gone after `close()`. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { runAgent } from "../../../src/agent/agent.ts";
import type { AgentConfig } from "../../../src/agent/config.ts";
import { createAgentClients, type KubeWorkerNode } from "../../../src/agent/worker-node.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { type ApiServer, startApiServer } from "../../../src/embedded/apiserver/server.ts";
import { createClient } from "../../../src/kube/client.ts";
import { loadKubeConnection } from "../../../src/kube/connection.ts";
import type { CustomResourceDefinition } from "../../../src/kube/control-types.ts";
import { customResourceDefinitions, events } from "../../../src/kube/core-resources.ts";
import { createTransport, type Transport } from "../../../src/kube/transport.ts";
import { defaultTierThresholds } from "../../../src/protocol/tier.ts";

export const address = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";

export class AgentCluster {
  readonly server: ApiServer;
  readonly transport: Transport;
  readonly #folder = mkdtempSync(join(tmpdir(), "agent-cluster-"));
  readonly #kubeconfigPath = join(this.#folder, "kubeconfig");
  readonly #running: { readonly stop: AbortController; readonly ended: Promise<void> }[] = [];

  private constructor(server: ApiServer, transport: Transport) {
    this.server = server;
    this.transport = transport;
    writeFileSync(this.#kubeconfigPath, server.kubeconfig());
  }

  static async start(): Promise<AgentCluster> {
    const server = await startApiServer({ logger: silentLogger });
    const folder = mkdtempSync(join(tmpdir(), "agent-cluster-admin-"));
    writeFileSync(join(folder, "kubeconfig"), server.kubeconfig());
    const connection = await loadKubeConnection({ kubeconfigPath: join(folder, "kubeconfig") });
    rmSync(folder, { recursive: true });
    const cluster = new AgentCluster(server, createTransport(connection, { fieldManager: "test" }));
    const yaml = readFileSync(new URL("../../../crds/workernodes.yaml", import.meta.url), "utf8");
    await createClient(cluster.transport, customResourceDefinitions).create(parse(yaml) as CustomResourceDefinition);
    await until(() =>
      cluster.clients.workerNodes.list().then(
        () => true,
        () => false,
      ),
    );
    return cluster;
  }

  get clients() {
    return createAgentClients(this.transport);
  }

  async createNode(name: string, parts: { labels?: Record<string, string>; gpus?: number } = {}): Promise<void> {
    const node = { apiVersion: "v1", kind: "Node", metadata: { name, labels: parts.labels ?? {} } };
    await this.clients.nodes.create(node);
    const capacity = { cpu: "8", ...(parts.gpus === undefined ? {} : { "nvidia.com/gpu": String(parts.gpus) }) };
    await this.clients.nodes.patch({ name }, { kind: "merge", subresource: "status", body: { status: { capacity } } });
  }

  /** @returns what ends when the agent has ended, and how to end it */
  startAgent(parts: Partial<AgentConfig> & { nodeName: string; path: string }) {
    const { path, ...config } = parts;
    const stop = new AbortController();
    const complete: AgentConfig = {
      workerNodeName: parts.nodeName,
      address,
      role: "Worker",
      mode: "Pooled",
      owner: undefined,
      slots: 2,
      nvidiaSmi: { command: "nvidia-smi", timeoutMs: 10_000, maxOutputBytes: 1 << 20, environment: { PATH: path } },
      simulated: false,
      kubeconfigPath: this.#kubeconfigPath,
      intervalMs: 150,
      healthHost: "127.0.0.1",
      healthPort: 0,
      thresholds: defaultTierThresholds,
      minimumLevel: "Inspected",
      ...config,
    };
    const ended = runAgent(complete, { signal: stop.signal, logger: silentLogger, clock: systemClock });
    this.#running.push({ stop, ended });
    return { stop: () => stop.abort(new Error("stopped")), ended };
  }

  /** The WorkerNode, once it is as wanted. */
  async workerNode(name: string, isWanted: (workerNode: KubeWorkerNode) => boolean): Promise<KubeWorkerNode> {
    let found: KubeWorkerNode | undefined;
    await until(async () => {
      found = await this.clients.workerNodes.get({ name }).catch(() => undefined);
      return found !== undefined && isWanted(found);
    });
    return found!;
  }

  async eventReasons(name: string): Promise<string[]> {
    const { items } = await createClient(this.transport, events).list({ namespace: "default" });
    return items.filter(({ regarding }) => regarding?.name === name).map(({ reason }) => reason ?? "");
  }

  /** Successful writes so far, of these plurals. */
  countWrites(): string {
    return JSON.stringify(this.server.writes());
  }

  async close(): Promise<void> {
    for (const { stop } of this.#running) stop.abort(new Error("stopped"));
    await Promise.all(this.#running.map(({ ended }) => ended));
    await this.transport.close();
    await this.server.close();
    rmSync(this.#folder, { recursive: true });
  }
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error("it did not happen in 20 s");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
