/** A launcher from its configuration: connects to the API server, and removes what an earlier run of it left there. */
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { loadKubeConnection } from "../../kube/connection.ts";
import { pods as podResource } from "../../kube/core-resources.ts";
import { createInformer } from "../../kube/informer.ts";
import { createTransport } from "../../kube/transport.ts";
import type { RunInPods } from "../attempt.ts";
import type { WorkerConfig } from "../config.ts";
import { launcherLabel } from "./build-job.ts";
import { createLauncher } from "./launcher.ts";
import { openProgressRecord } from "./progress-record.ts";
import { createJobClients } from "./run-job.ts";

export interface OpenLauncher {
  readonly run: RunInPods;
  close(): Promise<void>;
}

interface LauncherParts {
  readonly account: string;
  /** The pool's time. */
  readonly clock: Clock;
  /** By which files are dated. */
  readonly ownClock: Clock;
  readonly logger: Logger;
}

/** @throws InferiumError KubeconfigInvalid, StateUnwritable */
export async function openLauncher(
  { launcher: config, stateDir }: Pick<WorkerConfig, "launcher" | "stateDir">,
  { account, clock, ownClock, logger }: LauncherParts,
): Promise<OpenLauncher | undefined> {
  if (config === undefined) return undefined;
  const connection = await loadKubeConnection({ kubeconfigPath: config.kubeconfigPath });
  const transport = createTransport(connection, { fieldManager: "inferium-launcher" });
  const progress = await openProgressRecord(stateDir, ownClock.now());
  const { namespace, defaults, images, pollMs } = config;
  const labelSelector = `${launcherLabel}=${account.toLowerCase()}`;
  const pods = createInformer(transport, podResource, { namespace: config.namespace, labelSelector, clock, logger });
  pods.start();
  const clients = createJobClients(transport, pods);
  const launcher = createLauncher({ clients, namespace, account, defaults, images, progress, pollMs, clock, logger });
  // Not worth a worker that does not start: what is left expires by itself.
  await launcher
    .cleanUp()
    .catch((error: unknown) => logger.warn("jobs of an earlier run were not removed", { error: describeError(error) }));
  const close = async () => {
    await pods.stop();
    await transport.close();
  };
  return { run: launcher.run, close };
}
