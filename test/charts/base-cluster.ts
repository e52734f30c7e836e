/**
 * What a chart is installed on: the embedded API server with its controllers and scheduler, or with KUBEBUILDER_ASSETS or KUBECONFIG
 * a real one. Of binaries, kube-controller-manager and kube-scheduler are started as well where they are there. A cluster
 * of KUBECONFIG must have no nodes of its own, since pods run as local processes on the nodes that are started here; where it
 * has no controllers, the embedded ones are started for it.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/log.ts";
import { createCertificateAuthority, issueServerCertificate } from "../../src/base/tls.ts";
import { startControllerManager } from "../../src/embedded/controllers/controller-manager.ts";
import { readClientAccess } from "../../src/embedded/kubelet/client-access.ts";
import { createProcessKubelet } from "../../src/embedded/kubelet/kubelet.ts";
import { startKubeletServer } from "../../src/embedded/kubelet/kubelet-server.ts";
import type { ProcessKubeletOptions } from "../../src/embedded/kubelet/options.ts";
import { createScheduler } from "../../src/embedded/scheduler/scheduler.ts";
import { isNotFound } from "../../src/kube/api-error.ts";
import { createClient } from "../../src/kube/client.ts";
import { loadKubeConnection } from "../../src/kube/connection.ts";
import { leases } from "../../src/kube/core-resources.ts";
import { createTransport, type Transport } from "../../src/kube/transport.ts";
import { openCluster } from "../integration/kubelet/cluster.ts";
import { startControllerBinaries } from "../support/controller-binaries.ts";
import { openTestCluster } from "../support/test-cluster.ts";

type KubeletParts = Omit<Partial<ProcessKubeletOptions>, "nodeName"> &
  Pick<ProcessKubeletOptions, "images" | "hostEnv">;

export interface BaseCluster {
  readonly kind: "embedded" | "binaries" | "existing";
  readonly transport: Transport;
  /** For files; gone after the close. */
  readonly directory: string;
  readonly kubeconfigPath: string;
  startKubelet(nodeName: string, parts: KubeletParts): Promise<void>;
  close(): Promise<void>;
}

export const baseKind: BaseCluster["kind"] = process.env.KUBECONFIG
  ? "existing"
  : process.env.KUBEBUILDER_ASSETS
    ? "binaries"
    : "embedded";

export async function openBaseCluster(): Promise<BaseCluster> {
  return baseKind === "embedded" ? openEmbeddedCluster() : openRealCluster();
}

async function openEmbeddedCluster(): Promise<BaseCluster> {
  const cluster = await openCluster();
  const controllers = await startControllerManager({
    transport: cluster.transport,
    clock: systemClock,
    logger: silentLogger,
  });
  return {
    kind: "embedded",
    transport: cluster.transport,
    directory: cluster.directory,
    kubeconfigPath: cluster.kubeconfigPath,
    startKubelet: async (name, parts) => void (await cluster.startKubelet(name, parts)),
    close: async () => {
      await controllers.stop();
      await cluster.close();
    },
  };
}

async function openRealCluster(): Promise<BaseCluster> {
  const closing: (() => unknown)[] = [];
  const close = async () => {
    for (let end = closing.pop(); end !== undefined; end = closing.pop()) await end();
  };
  try {
    const directory = await mkdtemp(join(tmpdir(), "chart-cluster-"));
    closing.push(() => rm(directory, { recursive: true, force: true }));
    const { kind, kubeconfigPath, close: closeServer } = await openTestCluster();
    closing.push(closeServer);
    const connection = await loadKubeConnection({ kubeconfigPath });
    const transport = createTransport(connection, { fieldManager: "chart-test" });
    closing.push(() => transport.close());
    await startControllers({ kind, kubeconfigPath, transport, closing });
    const authority = await createCertificateAuthority("chart test kubelets");
    const tls = await issueServerCertificate(authority, { commonName: "kubelet", ipAddresses: ["127.0.0.1"] });
    const clients = await readClientAccess(transport);
    const common = { transport, clock: systemClock, logger: silentLogger };
    const server = await startKubeletServer({ ...common, token: "none", tls, ...(clients ? { clients } : {}) });
    closing.push(() => server.close());
    const ca = (await connection.tls()).ca;
    const apiAddress = { server: connection.server, ...(ca === undefined ? {} : { caPem: ca.toString() }) };
    const startKubelet = async (nodeName: string, parts: KubeletParts) => {
      const rootDir = join(directory, nodeName);
      const shared = { ...common, apiAddress, server, rootDir, deleteNodeOnStop: true };
      const kubelet = createProcessKubelet({ nodeTemplate: {}, ...shared, ...parts, nodeName });
      closing.push(() => kubelet.stop());
      await kubelet.start();
    };
    return { kind, transport, directory, kubeconfigPath, startKubelet, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface ControllerParts {
  readonly kind: BaseCluster["kind"];
  readonly kubeconfigPath: string;
  readonly transport: Transport;
  readonly closing: (() => unknown)[];
}

async function startControllers({ kind, kubeconfigPath, transport, closing }: ControllerParts): Promise<void> {
  const assets = process.env.KUBEBUILDER_ASSETS ?? "";
  if (kind === "binaries" && existsSync(join(assets, "kube-controller-manager"))) {
    const started = startControllerBinaries(assets, kubeconfigPath);
    closing.push(() => started.close());
    return;
  }
  if (kind === "existing" && (await hasControllers(transport))) return;
  const common = { transport, clock: systemClock, logger: silentLogger };
  const controllers = await startControllerManager(common);
  closing.push(() => controllers.stop());
  const scheduler = createScheduler({ ...common, schedulerNames: ["default-scheduler"] });
  await scheduler.start();
  closing.push(() => scheduler.stop());
}

async function hasControllers(transport: Transport): Promise<boolean> {
  try {
    await createClient(transport, leases).get({ namespace: "kube-system", name: "kube-controller-manager" });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
