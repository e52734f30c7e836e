/** An embedded API server with controllers, scheduler, made-up nodes and pods that run nothing, for the tests here. */
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { type ApiServer, startApiServer } from "../../../src/embedded/apiserver/server.ts";
import { startControllerManager } from "../../../src/embedded/controllers/controller-manager.ts";
import type { ControllerTiming } from "../../../src/embedded/controllers/timing.ts";
import { createScheduler } from "../../../src/embedded/scheduler/scheduler.ts";
import { createStaticConnection } from "../../../src/kube/connection.ts";
import { createTransport, type Transport } from "../../../src/kube/transport.ts";
import { ApiClient } from "../apiserver/api-client.ts";
import { Kubectl } from "../apiserver/kubectl.ts";
import { type PodRunner, startPodRunner } from "./pod-runner.ts";

export interface WorkloadCluster {
  readonly server: ApiServer;
  readonly api: ApiClient;
  readonly kubectl: Kubectl;
  readonly transport: Transport;
  readonly runner: PodRunner;
  addNode(name: string, shape?: NodeShape): Promise<void>;
  close(): Promise<void>;
}

export interface NodeShape {
  readonly labels?: Record<string, string>;
  readonly spec?: object;
  readonly allocatable?: Record<string, string>;
}

export async function openWorkloadCluster(
  nodes: readonly string[] = ["node-1", "node-2", "node-3"],
  timing: Partial<ControllerTiming> = {},
): Promise<WorkloadCluster> {
  const server = await startApiServer({ logger: silentLogger });
  const connection = createStaticConnection({ server: server.url, ca: server.caPem, token: server.adminToken });
  const transport = createTransport(connection);
  const api = new ApiClient(server);
  const kubectl = new Kubectl(server);
  const addNode = (name: string, shape: NodeShape = {}) => createNode(api, name, shape);
  for (const name of nodes) await addNode(name);
  const common = { transport, clock: systemClock, logger: silentLogger };
  const scheduler = createScheduler({ ...common, schedulerNames: ["default-scheduler"] });
  await scheduler.start();
  const controllers = await startControllerManager({ ...common, timing });
  const runner = await startPodRunner(transport);
  return {
    ...{ server, api, kubectl, transport, runner, addNode },
    close: async () => {
      kubectl.close();
      await controllers.stop();
      await scheduler.stop();
      await runner.stop();
      await transport.close();
      await api.close();
      await server.close();
    },
  };
}

async function createNode(api: ApiClient, name: string, shape: NodeShape): Promise<void> {
  const labels = { "kubernetes.io/hostname": name, ...shape.labels };
  const node = { apiVersion: "v1", kind: "Node", metadata: { name, labels }, spec: shape.spec ?? {} };
  const created = await api.post("/api/v1/nodes", node);
  if (created.status !== 201) throw new Error(`node ${name}: ${JSON.stringify(created.body)}`);
  const capacity = { cpu: "4", memory: "8Gi", pods: "50", ...shape.allocatable };
  const conditions = [{ type: "Ready", status: "True", reason: "KubeletReady" }];
  await api.patch(`/api/v1/nodes/${name}/status`, "merge", {
    status: { capacity, allocatable: capacity, conditions },
  });
}
