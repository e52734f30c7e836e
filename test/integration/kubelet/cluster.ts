/** An embedded API server with a scheduler and process kubelets, for the tests of this folder. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { type Logger, silentLogger } from "../../../src/base/log.ts";
import { createCertificateAuthority, issueServerCertificate } from "../../../src/base/tls.ts";
import { type ApiServer, startApiServer } from "../../../src/embedded/apiserver/server.ts";
import type { Node, Pod, PodSpec } from "../../../src/embedded/kubelet/core-types.ts";
import { createProcessKubelet, type ProcessKubelet } from "../../../src/embedded/kubelet/kubelet.ts";
import { nodeResource } from "../../../src/embedded/kubelet/node-agent.ts";
import type { ProcessKubeletOptions } from "../../../src/embedded/kubelet/options.ts";
import { podResource } from "../../../src/embedded/kubelet/pod-api.ts";
import { createScheduler } from "../../../src/embedded/scheduler/scheduler.ts";
import { createClient, type KubeClient } from "../../../src/kube/client.ts";
import { createStaticConnection } from "../../../src/kube/connection.ts";
import { createTransport, type Transport } from "../../../src/kube/transport.ts";
import { eventually } from "./worker-bench.ts";

const kubeletToken = "kubelet-test-token";

export interface Cluster {
  readonly server: ApiServer;
  readonly transport: Transport;
  readonly pods: KubeClient<Pod>;
  readonly nodes: KubeClient<Node>;
  readonly directory: string;
  readonly kubeconfigPath: string;
  options(nodeName: string, overrides?: Partial<ProcessKubeletOptions>): ProcessKubeletOptions;
  startKubelet(nodeName: string, overrides?: Partial<ProcessKubeletOptions>): Promise<ProcessKubelet>;
  createPod(name: string, spec: Partial<PodSpec>): Promise<Pod>;
  pod(name: string): Promise<Pod>;
  untilPhase(name: string, phase: string): Promise<Pod>;
  log(name: string, query?: Record<string, string | number | boolean>): Promise<string>;
  close(): Promise<void>;
}

export async function openCluster(logger: Logger = silentLogger): Promise<Cluster> {
  const directory = await mkdtemp(join(tmpdir(), "kubelet-cluster-"));
  const authority = await createCertificateAuthority("kubelet test");
  const tls = await issueServerCertificate(authority, { commonName: "kubelet", ipAddresses: ["127.0.0.1"] });
  const kubeletClient = { token: kubeletToken, caPem: tls.caPem };
  const server = await startApiServer({ logger: silentLogger, kubeletClient });
  const kubeconfigPath = join(directory, "kubeconfig");
  await writeFile(kubeconfigPath, server.kubeconfig());
  const transport = createTransport(
    createStaticConnection({ server: server.url, ca: server.caPem, token: server.adminToken }),
  );
  const common = { transport, clock: systemClock, logger };
  const scheduler = createScheduler({ ...common, schedulerNames: ["default-scheduler"] });
  await scheduler.start();
  const pods = createClient(transport, podResource);
  const kubelets: ProcessKubelet[] = [];
  const options = (nodeName: string, overrides: Partial<ProcessKubeletOptions> = {}): ProcessKubeletOptions => ({
    ...common,
    nodeName,
    nodeTemplate: { labels: { tier: "low" }, capacity: { cpu: "4", memory: "8Gi", pods: "10", "nvidia.com/gpu": "1" } },
    rootDir: join(directory, nodeName),
    images: { sh: { entrypoint: ["/bin/sh"] } },
    hostEnv: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
    apiAddress: { server: server.url, caPem: server.caPem },
    serverToken: kubeletToken,
    tls,
    stopGraceMs: 500,
    crashBackoff: { initialMs: 100, maxMs: 1_000 },
    ...overrides,
  });
  const pod = (name: string) => pods.get({ namespace: "default", name });
  return {
    ...{ server, transport, pods, directory, kubeconfigPath, options, pod },
    nodes: createClient(transport, nodeResource),
    startKubelet: async (nodeName, overrides) => {
      const kubelet = createProcessKubelet(options(nodeName, overrides));
      kubelets.push(kubelet);
      await kubelet.start();
      return kubelet;
    },
    createPod: (name, spec) =>
      pods.create({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: "default" },
        spec: { containers: [], ...spec },
      }),
    untilPhase: (name, phase) =>
      eventually(`${name} is ${phase}`, async () => {
        const found = await pod(name);
        return found.status?.phase === phase && found;
      }),
    log: (name, query = {}) => pods.getSubresource<string>({ namespace: "default", name }, "log", { query }),
    close: async () => {
      for (const kubelet of kubelets) await kubelet.stop();
      await scheduler.stop();
      await transport.close();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
