/**
 * One term of leadership: everything that decides and writes, built anew from what is durable and torn down with the term.
 * Nothing of an earlier term, of this process or another, is trusted but what the server, the chain and the records say.
 *
 * 1 read the records (batches, slashes, transactions, reputation)    2 take over all tasks and Validations
 * 3 run the stages                                                   4 serve the pool API, until the term ends
 */
import type { Registry } from "prom-client";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { deployments } from "../kube/app-resources.ts";
import { createClient } from "../kube/client.ts";
import { configMaps, secrets, services } from "../kube/core-resources.ts";
import type { EventRecorder } from "../kube/events.ts";
import type { KubeMetrics } from "../kube/metrics.ts";
import type { Transport } from "../kube/transport.ts";
import type { CertificateFiles } from "../pool/certificate-files.ts";
import { startPoolServer } from "../pool/server.ts";
import { stageOf } from "../protocol/task-stage.ts";
import type { ProtocolDomain } from "../protocol/typed-data.ts";
import { agentOfSlice } from "./agents/backend-keeper.ts";
import type { ChainLink } from "./chain-link.ts";
import type { OperatorConfig } from "./config.ts";
import type { OperatorInformers } from "./informers.ts";
import { agents, leaderboards, models, tasks, validations, workerNodes } from "./kinds.ts";
import type { OperatorMetrics } from "./metrics.ts";
import { buildStages, type Stages } from "./stages.ts";
import { createTaskEvents } from "./task-events.ts";

export interface TermOptions {
  readonly config: OperatorConfig;
  readonly transport: Transport;
  readonly informers: OperatorInformers;
  readonly link: ChainLink;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly kubeMetrics: KubeMetrics;
  readonly metrics: OperatorMetrics;
  readonly registry: Registry;
  readonly certificate: CertificateFiles;
  /** The pool API is open at this address; undefined once it is closed. */
  readonly onServing: (url: string | undefined) => void;
}

/** Resolves when the signal is aborted and all work has ended. */
export async function runTerm(options: TermOptions, signal: AbortSignal): Promise<void> {
  const { transport, informers, link } = options;
  const chain = await link.connect(signal).catch(() => undefined);
  if (!chain || signal.aborted) return;
  const clients = {
    tasks: createClient(transport, tasks),
    validations: createClient(transport, validations),
    leaderboards: createClient(transport, leaderboards),
    workers: createClient(transport, workerNodes, { fieldManager: transport.fieldManager }),
    models: createClient(transport, models, { fieldManager: transport.fieldManager }),
    secrets: createClient(transport, secrets),
    configMaps: createClient(transport, configMaps),
    agents: createClient(transport, agents, { fieldManager: transport.fieldManager }),
    deployments: createClient(transport, deployments),
    services: createClient(transport, services),
  };
  const stages = buildStages({ ...options, clients, domain: chain.domain, tell: createTaskEvents(options.recorder) });
  const ending: (() => unknown)[] = [() => stages.close()];
  try {
    await stages.load(signal);
    ending.push(
      informers.validations.onEvent((event) => stages.index.observe(event)),
      informers.tasks.onEvent((event) => stages.ledger.observe(event)),
      // After the tasks: a run in progress must find those that it has made.
      informers.leaderboards.onEvent((event) => stages.leaderboards.observe(event)),
      informers.workers.onEvent(({ key }) => stages.onWorker(key)),
      informers.models.onEvent(({ key }) => stages.onModel(key)),
      ...(informers.agents ? [informers.agents.onEvent(({ key }) => stages.onAgent(key))] : []),
      ...(informers.slices ? [informers.slices.onEvent(({ object }) => stages.onAgent(agentOfSlice(object)))] : []),
    );
    // Tasks that were admitted in an earlier term hold their part of their orders before anybody new gets one.
    await stages.restore(signal);
    await serve(options, { stages, domain: chain.domain }, signal);
  } finally {
    for (const end of ending) end();
    options.metrics.tasks.reset();
    options.metrics.backlog.reset();
    options.metrics.leaderboards.reset();
  }
}

/** Until the term ends; the pool API is closed by then. */
async function serve(
  options: TermOptions,
  { stages, domain }: { readonly stages: Stages; readonly domain: ProtocolDomain },
  signal: AbortSignal,
): Promise<void> {
  const { config, clock, logger, certificate } = options;
  const work = stages.run(signal);
  dropPoolMetrics(options.registry);
  const server = await startPoolServer({
    host: config.pool.host,
    port: config.pool.port,
    tls: certificate.current,
    pool: config.pool.name,
    domain,
    backend: stages.backend,
    logger,
    clock,
    registry: options.registry,
  });
  const unsubscribe = certificate.onChange((pair) => server.setCertificate(pair));
  // What was replaced while the server opened.
  server.setCertificate(certificate.current);
  const running = [...stages.ledger.entries()].filter(({ status }) => stageOf(status) === "Run").length;
  logger.info("operator leads", { url: server.url, tasks: stages.ledger.size, running });
  options.onServing(server.url);
  try {
    await work;
  } finally {
    options.onServing(undefined);
    stages.close();
    await server.close();
    unsubscribe();
  }
}

/** The server of an earlier term of this process has left its metrics behind; two of one name are refused. */
function dropPoolMetrics(registry: Registry): void {
  for (const { name } of registry.getMetricsAsArray())
    if (name.startsWith("inferium_pool_")) registry.removeSingleMetric(name);
}
