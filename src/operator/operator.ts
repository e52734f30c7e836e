/**
 * The operator's process: connection to the API server, informers, leader election, health and metrics; the work itself is
 * in a term of leadership. Runs until the signal is aborted.
 */
import { Registry } from "prom-client";
import { fieldManagers } from "../api/v1alpha1/labels.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { createLogger, type Logger } from "../base/log.ts";
import { loadKubeConnection } from "../kube/connection.ts";
import { createEventRecorder } from "../kube/events.ts";
import { startHealthServer } from "../kube/health-server.ts";
import { createManager } from "../kube/manager.ts";
import { createKubeMetrics } from "../kube/metrics.ts";
import { createTransport } from "../kube/transport.ts";
import { CertificateFiles } from "../pool/certificate-files.ts";
import { ChainLink } from "./chain-link.ts";
import type { OperatorConfig } from "./config.ts";
import { createInformers } from "./informers.ts";
import { LeaderLabel } from "./leader-label.ts";
import { createOperatorMetrics } from "./metrics.ts";
import { runTerm } from "./term.ts";

export interface OperatorRuntime {
  readonly signal: AbortSignal;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Called with the address whenever the pool API opens. For embedding and tests. */
  readonly onServing?: (url: string) => void;
  /** Called once with the address of health and metrics, where there is one. */
  readonly onMetrics?: (url: string) => void;
}

const chainTimeoutMs = 10_000;

/** @throws InferiumError of the configuration, the API server, the ports; resolves after a stop in good order */
export async function runOperator(config: OperatorConfig, runtime: OperatorRuntime): Promise<void> {
  const clock = runtime.clock ?? systemClock;
  const logger = (runtime.logger ?? createLogger()).child({ role: "operator" });
  const registry = new Registry();
  const kubeMetrics = createKubeMetrics(registry);
  const metrics = createOperatorMetrics(registry);
  const certificate = await CertificateFiles.open({
    ...{ ...config.tls, clock, logger },
    onExpiry: (seconds) => metrics.certificateNotAfter.set(seconds),
  });
  const connection = await loadKubeConnection({ kubeconfigPath: config.kubeconfigPath, clock });
  const transport = createTransport(connection, {
    userAgent: "inferium-operator",
    fieldManager: fieldManagers.operator,
    clock,
    metrics: kubeMetrics,
  });
  const shared = { transport, clock, logger };
  const { watchNamespace } = config;
  const hostsAgents = config.agents !== undefined;
  const informers = createInformers({ ...shared, watchNamespace, hostsAgents, metrics: kubeMetrics });
  const link = new ChainLink({ ...config.chain, timeoutMs: chainTimeoutMs, clock, logger, metrics });
  const recorder = createEventRecorder(transport, {
    reportingController: "inferium.io/operator",
    reportingInstance: config.leaderElection?.identity ?? "operator",
    clock,
    logger,
    metrics: kubeMetrics,
  });
  let poolUrl: string | undefined;
  const leaderLabel =
    config.leaderPod === undefined
      ? undefined
      : new LeaderLabel({ ...shared, namespace: config.namespace, pod: config.leaderPod });
  // What an earlier process of this pod has left.
  leaderLabel?.want(false);
  const onServing = (url: string | undefined) => {
    poolUrl = url;
    leaderLabel?.want(url !== undefined);
    if (url !== undefined) runtime.onServing?.(url);
  };
  const term = {
    ...shared,
    certificate,
    config,
    informers,
    link,
    recorder,
    kubeMetrics,
    metrics,
    registry,
    onServing,
  };
  const manager = createManager({
    informers: Object.values(informers),
    leaderTasks: [(signal) => runTerm(term, signal)],
    ...(config.leaderElection
      ? { lease: leaseOf(config, config.leaderElection.identity, { ...shared, kubeMetrics }) }
      : {}),
    recorder,
    clock,
    logger,
  });
  // With the label, standbys are ready: rollouts wait for all replicas, and the Service selects the leader alone.
  const isStandby = () => leaderLabel !== undefined && !manager.isLeader;
  const health = await openHealth(
    config,
    { registry, logger },
    {
      ...manager.readyChecks,
      pool: () => poolUrl !== undefined || isStandby() || "this process does not lead, or the pool API is not open yet",
    },
  );
  if (health) runtime.onMetrics?.(`http://${health.host}:${health.port}`);
  const ending = new AbortController();
  const following = certificate.follow(ending.signal);
  try {
    await manager.run(runtime.signal);
  } finally {
    ending.abort();
    await following;
    await health?.close();
    await leaderLabel?.close();
    link.close();
    await transport.close();
  }
}

type LeaseParts = Parameters<typeof createInformers>[0]["transport"];

function leaseOf(
  config: OperatorConfig,
  identity: string,
  {
    transport,
    clock,
    logger,
    kubeMetrics,
  }: { transport: LeaseParts; clock: Clock; logger: Logger; kubeMetrics: ReturnType<typeof createKubeMetrics> },
) {
  const name = `inferium-operator-${config.pool.name}`;
  return { transport, namespace: config.namespace, name, identity, clock, logger, metrics: kubeMetrics };
}

async function openHealth(
  config: OperatorConfig,
  { registry, logger }: { registry: Registry; logger: Logger },
  ready: Record<string, () => boolean | string>,
) {
  if (!config.metrics) return undefined;
  return startHealthServer({ ...config.metrics, registry, logger, live: { process: () => true }, ready });
}
