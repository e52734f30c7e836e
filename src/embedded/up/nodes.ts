/**
 * The simulated nodes of a run: one process kubelet each over one shared watch and one log endpoint, and the scheduler
 * that binds the run's pods. Works against any API server.
 */
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { createInformer } from "../../kube/informer.ts";
import { readClientAccess } from "../kubelet/client-access.ts";
import { createProcessKubelet } from "../kubelet/kubelet.ts";
import { startKubeletServer } from "../kubelet/kubelet-server.ts";
import { podResource } from "../kubelet/pod-api.ts";
import { writeFakeNvidiaSmi } from "../nodes/fake-nvidia-smi.ts";
import type { NodeProfile } from "../nodes/node-profiles.ts";
import { createScheduler } from "../scheduler/scheduler.ts";
import type { Cluster } from "./cluster.ts";
import { processImage, processScheduler, processTaint, runLabel } from "./pods.ts";
import type { Teardown } from "./teardown.ts";

export interface NodesOptions {
  readonly cluster: Cluster;
  readonly profiles: readonly NodeProfile[];
  /** Of all kubelets; one folder each below it. */
  readonly rootDir: string;
  /** Command that the image name stands for, such as node and main.ts. */
  readonly entrypoint: readonly string[];
  /** What of this machine's environment processes may see. */
  readonly hostEnv: Readonly<Record<string, string>>;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Resolves when every node is Ready. */
export async function startNodes(options: NodesOptions, teardown: Teardown): Promise<void> {
  const { cluster, logger, clock } = options;
  const informer = createInformer(cluster.transport, podResource, { clock, logger });
  informer.start();
  teardown.add("pod informer", () => informer.stop());
  const server = await startKubeletServer({
    token: cluster.kubeletToken,
    tls: cluster.kubeletTls,
    clients: cluster.embedded ? undefined : await readClientAccess(cluster.transport),
    clock,
    logger: logger.child({ part: "kubelet" }),
  });
  teardown.add("kubelet endpoint", () => server.close());
  await informer.synced(30_000);
  const scheduler = createScheduler({
    transport: cluster.transport,
    podInformer: informer,
    // On somebody's cluster its own scheduler binds everything else.
    schedulerNames: cluster.embedded ? ["default-scheduler", processScheduler] : [processScheduler],
    logger: logger.child({ part: "scheduler" }),
    clock,
  });
  await scheduler.start();
  teardown.add("scheduler", () => scheduler.stop());
  const apiAddress = await readApiAddress(cluster);
  const kubelets = await Promise.all(
    options.profiles.map(async (profile) =>
      createProcessKubelet({
        transport: cluster.transport,
        nodeName: profile.name,
        nodeTemplate: {
          ...profile,
          labels: { ...profile.labels, ...runLabel },
          taints: [...(profile.taints ?? []), processTaint],
        },
        rootDir: join(options.rootDir, profile.name),
        images: { [processImage]: { entrypoint: options.entrypoint } },
        hostEnv: options.hostEnv,
        nodeEnv: await buildNodeEnv(options, profile),
        apiAddress,
        server,
        podInformer: informer,
        deleteNodeOnStop: true,
        logger: logger.child({ part: "kubelet" }),
        clock,
      }),
    ),
  );
  teardown.add("process kubelets", () => Promise.all(kubelets.map((kubelet) => kubelet.stop())));
  await Promise.all(kubelets.map((kubelet) => kubelet.start()));
}

async function readApiAddress(cluster: Cluster): Promise<{ server: string; caPem?: string }> {
  const ca = (await cluster.connection.tls()).ca;
  return { server: cluster.connection.server, ...(ca === undefined ? {} : { caPem: ca.toString() }) };
}

/** Puts the node's simulated nvidia-smi in front of the PATH. */
async function buildNodeEnv(options: NodesOptions, profile: NodeProfile): Promise<Record<string, string>> {
  const folder = await writeFakeNvidiaSmi(join(options.rootDir, "bin", profile.name), profile);
  return { PATH: `${folder}:${options.hostEnv.PATH ?? ""}` };
}
