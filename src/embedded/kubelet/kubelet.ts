/**
 * The process kubelet: runs the pods bound to one node as local processes, against any API server.
 * Start: 1 lock the root directory, 2 kill what an earlier run left, 3 start the watchdog, 4 open the log endpoint,
 * 5 register the node, 6 follow its pods. Stop undoes this in the reverse order, pods first.
 * Effects: processes and files under `rootDir`, one socket, and writes to Node, Lease, pod status and events.
 */
import { mkdir, readdir, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { describeError, InferiumError } from "../../base/errors.ts";
import { createEventRecorder, type EventRecorder } from "../../kube/events.ts";
import { createInformer, type Informer } from "../../kube/informer.ts";
import { openCgroups } from "./cgroups.ts";
import type { Pod } from "./core-types.ts";
import { defaultCrashBackoff } from "./crash-backoff.ts";
import { openGroupLedger } from "./group-ledger.ts";
import { type KubeletServer, startKubeletServer } from "./kubelet-server.ts";
import { NodeAgent } from "./node-agent.ts";
import { computeCapacity, hostAddress, type NodeIdentity } from "./node-object.ts";
import { defaultKubeletVersion, defaultStopGraceMs, type ProcessKubeletOptions } from "./options.ts";
import { createPodAccess } from "./pod-access.ts";
import { createPodApi, podResource } from "./pod-api.ts";
import type { PodEventSink } from "./pod-events.ts";
import { podsDirectory } from "./pod-paths.ts";
import { PodTable } from "./pod-table.ts";
import type { PodWorkerDeps } from "./pod-worker.ts";
import { lockRoot } from "./root-lock.ts";
import { startWatchdog } from "./watchdog.ts";

export type { ProcessKubeletOptions } from "./options.ts";

export interface ProcessKubelet {
  /** Resolves when the node is Ready and its pods are being followed. */
  start(): Promise<void>;
  /** Stops the pods gracefully and takes leave of the cluster. Leaves no process behind. */
  stop(): Promise<void>;
}

const syncTimeoutMs = 30_000;
const eventFlushTimeoutMs = 2_000;

export function createProcessKubelet(options: ProcessKubeletOptions): ProcessKubelet {
  /** What has been started, in order; undone in reverse. */
  const undo: (() => Promise<void> | void)[] = [];
  const logger = options.logger.child({ node: options.nodeName });
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        logger.error("a part of the kubelet was not stopped", { reason: describeError(error) });
      }
    }
  };
  const start = async () => {
    if (undo.length > 0) throw new InferiumError("KubeletRunning", `The kubelet of ${options.nodeName} is running.`);
    try {
      await startParts({ ...options, logger }, undo);
      logger.info("process kubelet is ready", { rootDir: options.rootDir });
    } catch (error) {
      await stop();
      throw error;
    }
  };
  return { start, stop };
}

async function startParts(options: ProcessKubeletOptions, undo: (() => Promise<void> | void)[]): Promise<void> {
  const { clock, logger, nodeName } = options;
  await mkdir(options.rootDir, { recursive: true });
  // The path goes into the environment of processes and must be the same at the next start.
  const rootDir = await realpath(options.rootDir);
  undo.push(await lockRoot(rootDir));
  const ledger = openGroupLedger(rootDir);
  const killed = ledger.killLeftovers();
  if (killed > 0) logger.warn("killed processes that an earlier kubelet left behind", { killed });
  undo.push(() => void ledger.killLeftovers());
  const cgroups = openCgroups(rootDir);
  if (cgroups.limits.length < 2) {
    const limited = cgroups.limits.join(", ") || "none";
    logger.info("this host does not enforce all limits of containers", { limited });
  }
  undo.push(() => cgroups.close());
  const watchdog = await startWatchdog({ rootDir, path: options.hostEnv.PATH ?? "/usr/bin:/bin", logger, clock });
  undo.push(() => watchdog.stop());
  const server = options.server ?? (await openServer(options, undo));
  const events = createEventRecorder(options.transport, {
    reportingController: "inferium.io/process-kubelet",
    reportingInstance: nodeName,
    clock,
    logger,
  });
  undo.push(() => events.stop(eventFlushTimeoutMs));
  await startNode(options, { port: server.port, limits: cgroups.limits }, undo);
  const table = new PodTable(buildDeps(options, { rootDir, ledger, cgroups, events }), nodeName);
  undo.push(server.add(table));
  await followPods(options, table, rootDir, undo);
}

async function openServer(
  options: ProcessKubeletOptions,
  undo: (() => Promise<void> | void)[],
): Promise<KubeletServer> {
  const { serverToken, tls, clients, clock, logger } = options;
  if (serverToken === undefined || tls === undefined) {
    throw new InferiumError(
      "KubeletOptions",
      "A process kubelet needs `server`, or `serverToken` and `tls` to open one.",
    );
  }
  const server = await startKubeletServer({ token: serverToken, tls, clients, clock, logger });
  undo.push(() => server.close());
  return server;
}

async function startNode(
  options: ProcessKubeletOptions,
  facts: Pick<NodeIdentity, "port" | "limits">,
  undo: (() => Promise<void> | void)[],
): Promise<void> {
  const { transport, nodeName, nodeTemplate, clock, logger } = options;
  const kubeletVersion = options.kubeletVersion ?? defaultKubeletVersion;
  const identity = { nodeName, template: nodeTemplate, kubeletVersion, ...facts };
  const agent = new NodeAgent({ transport, identity, deleteOnStop: options.deleteNodeOnStop ?? false, clock, logger });
  undo.push(() => agent.stop());
  await agent.start();
}

type RuntimeParts = Pick<PodWorkerDeps, "rootDir" | "ledger" | "cgroups"> & { readonly events: EventRecorder };

function buildDeps(options: ProcessKubeletOptions, parts: RuntimeParts): PodWorkerDeps {
  const { images, hostEnv, nodeName, clock, logger } = options;
  const allocatable = computeCapacity(options.nodeTemplate);
  return {
    ...{ images, hostEnv, clock, logger, rootDir: parts.rootDir, ledger: parts.ledger, cgroups: parts.cgroups },
    nodeEnv: options.nodeEnv ?? {},
    facts: { nodeName, hostIP: hostAddress, podIP: options.podAddress ?? hostAddress, allocatable },
    api: createPodApi(options.transport, options.apiAddress?.caPem),
    access: createPodAccess(options.apiAddress),
    events: createEventSink(parts.events),
    backoff: options.crashBackoff ?? defaultCrashBackoff,
  };
}

function createEventSink(recorder: EventRecorder): PodEventSink {
  return {
    record: (pod, event) =>
      recorder.record({
        regarding: pod,
        type: event.type,
        reason: event.reason,
        action: event.reason,
        note: event.message,
      }),
  };
}

async function followPods(
  options: ProcessKubeletOptions,
  table: PodTable,
  rootDir: string,
  undo: (() => Promise<void> | void)[],
): Promise<void> {
  const informer = options.podInformer ?? startInformer(options, undo);
  await informer.synced(syncTimeoutMs);
  const mine = informer.store.list().filter((pod) => pod.spec.nodeName === options.nodeName);
  await removeStaleDirectories(rootDir, new Set(mine.map((pod) => pod.metadata.uid ?? "")));
  undo.push(() => table.stop(options.stopGraceMs ?? defaultStopGraceMs));
  undo.push(informer.onEvent((event) => table.take(event)));
}

function startInformer(options: ProcessKubeletOptions, undo: (() => Promise<void> | void)[]): Informer<Pod> {
  const { transport, nodeName, clock, logger } = options;
  const informer = createInformer(transport, podResource, {
    fieldSelector: `spec.nodeName=${nodeName}`,
    clock,
    logger,
  });
  informer.start();
  undo.push(() => informer.stop());
  return informer;
}

/** Directories of pods that are gone; those of live pods keep their logs. */
async function removeStaleDirectories(rootDir: string, live: ReadonlySet<string>): Promise<void> {
  const directory = podsDirectory(rootDir);
  await mkdir(directory, { recursive: true });
  for (const uid of await readdir(directory)) {
    if (!live.has(uid)) await rm(join(directory, uid), { recursive: true, force: true });
  }
}
