/**
 * A Kubernetes control plane in this process, for tests and tools of TypeScript projects (see README.md beside this file):
 * an API server, and, where asked for, the controllers of workloads and the scheduler. Effects: one HTTPS listener on
 * loopback, a temporary folder with a kubeconfig, the data directory where one is given; all ended by `close()`.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { type Logger, silentLogger } from "../base/log.ts";
import { type KubeConnection, loadKubeConnection } from "../kube/connection.ts";
import { createTransport, type Transport } from "../kube/transport.ts";
import { startApiServer } from "./apiserver/server.ts";
import { startControllerManager } from "./controllers/controller-manager.ts";
import { createScheduler } from "./scheduler/scheduler.ts";

export interface ControlPlaneOptions {
  /** Turn deployments, jobs and so on into pods. Default false. */
  readonly controllers?: boolean;
  /** Give pods to nodes; tests make the nodes. Default false. */
  readonly scheduler?: boolean;
  /** Default 0: any free port of 127.0.0.1. */
  readonly port?: number;
  /** Keep everything there, to be there again at the next start. Default: in memory. */
  readonly dataDir?: string;
  /** Watch events kept per kind; a small number makes old resource versions expire (410) soon. Default 10,000. */
  readonly historyLimit?: number;
  /** Default: silence. */
  readonly logger?: Logger;
}

export interface ControlPlane {
  /** Such as `https://127.0.0.1:41234`. */
  readonly url: string;
  /** YAML text for an administrator, and the file that holds it. */
  readonly kubeconfig: string;
  readonly kubeconfigPath: string;
  /** For clients of `src/kube`; others read the kubeconfig. */
  readonly connection: KubeConnection;
  readonly transport: Transport;
  close(): Promise<void>;
}

/** Resolves when the API server answers. @throws InferiumError ListenFailed, DataDirLocked, DataDirUnusable, DataDamaged */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const logger = options.logger ?? silentLogger;
  const closing: (() => Promise<void>)[] = [];
  /** In the reverse of the order in which things were started. */
  const close = async () => {
    for (let end = closing.pop(); end !== undefined; end = closing.pop()) await end();
  };
  try {
    const { port, dataDir, historyLimit } = options;
    const server = await startApiServer({
      logger,
      ...(port === undefined ? {} : { port }),
      ...(dataDir === undefined ? {} : { dataDir }),
      ...(historyLimit === undefined ? {} : { historyLimit }),
    });
    closing.push(() => server.close());
    const folder = await mkdtemp(join(tmpdir(), "inferium-control-plane-"));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    const kubeconfig = server.kubeconfig();
    const kubeconfigPath = join(folder, "kubeconfig");
    await writeFile(kubeconfigPath, kubeconfig, { mode: 0o600 });
    const connection = await loadKubeConnection({ kubeconfigPath });
    const transport = createTransport(connection, { fieldManager: "control-plane" });
    closing.push(() => transport.close());
    const parts = { transport, clock: systemClock, logger };
    if (options.controllers === true) {
      const controllers = await startControllerManager(parts);
      closing.push(() => controllers.stop());
    }
    if (options.scheduler === true) {
      const scheduler = createScheduler({ ...parts, schedulerNames: ["default-scheduler"] });
      await scheduler.start();
      closing.push(() => scheduler.stop());
    }
    return { url: server.url, kubeconfig, kubeconfigPath, connection, transport, close };
  } catch (error) {
    await close();
    throw error;
  }
}
