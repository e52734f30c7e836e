/**
 * The agent: one on each node. Reads the node's GPUs, labels the node, keeps its WorkerNode, and says how far the hardware is
 * proven; then again every interval until stopped. A failure of the API or of nvidia-smi ends a round, never the agent.
 * Effects: nvidia-smi, writes to the API (see round.ts), one listening socket for health and metrics.
 */
import { Registry } from "prom-client";
import { fieldManagers } from "../api/v1alpha1/labels.ts";
import { computeBackoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { retryAfterOf } from "../kube/api-error.ts";
import { loadKubeConnection } from "../kube/connection.ts";
import { createEventRecorder } from "../kube/events.ts";
import { startHealthServer } from "../kube/health-server.ts";
import { createKubeMetrics } from "../kube/metrics.ts";
import { createTransport } from "../kube/transport.ts";
import type { AgentConfig } from "./config.ts";
import { createAgentMetrics } from "./metrics.ts";
import { readNvidiaSmi } from "./nvidia-smi/read.ts";
import { freshObserver } from "./observe.ts";
import { type RoundContext, runRound } from "./round.ts";
import { createAgentClients } from "./worker-node.ts";

export interface RoleContext {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Resolves when the signal is aborted and everything is stopped. @throws InferiumError for what no retry can mend */
export async function runAgent(config: AgentConfig, role: RoleContext): Promise<void> {
  const { signal, clock } = role;
  const logger = role.logger.child({ node: config.nodeName });
  const registry = new Registry();
  const kubeMetrics = createKubeMetrics(registry);
  const progress = new Progress(config, clock);
  const connection = await loadKubeConnection({ kubeconfigPath: config.kubeconfigPath, clock });
  const transport = createTransport(connection, { fieldManager: fieldManagers.agent, clock, metrics: kubeMetrics });
  const reporter = { reportingController: "inferium.io/agent", reportingInstance: config.nodeName };
  const recorder = createEventRecorder(transport, { ...reporter, clock, logger, metrics: kubeMetrics });
  try {
    const health = await startHealthServer({
      host: config.healthHost,
      port: config.healthPort,
      registry,
      logger,
      live: { rounds: () => progress.checkAlive() },
      ready: { published: () => progress.checkPublished() },
    });
    try {
      await repeatRounds(progress, role, {
        config,
        clients: createAgentClients(transport),
        read: () => readNvidiaSmi({ ...config.nvidiaSmi, signal }),
        recorder,
        metrics: createAgentMetrics(registry),
        logger,
        now: () => clock.now(),
      });
    } finally {
      await health.close();
    }
  } finally {
    await recorder.stop(stopTimeoutMs);
    await transport.close();
  }
}

const stopTimeoutMs = 2_000;

async function repeatRounds(progress: Progress, { signal, clock }: RoleContext, context: RoundContext): Promise<void> {
  let state = freshObserver;
  for (let failures = 0; !signal.aborted; ) {
    let waitMs: number;
    try {
      state = await runRound(context, state);
      failures = 0;
      waitMs = jitter(context.config.intervalMs);
      progress.note(true);
    } catch (error) {
      if (signal.aborted) break;
      failures++;
      const backoffMs = computeBackoffMs(failures, { initialMs: 500, maxMs: context.config.intervalMs });
      waitMs = Math.max(backoffMs, Math.min(retryAfterOf(error) ?? 0, context.config.intervalMs));
      progress.note(false, describeError(error));
      context.logger.warn("round failed", { error: describeError(error), failures, retryMs: waitMs });
    }
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}

/** Within a tenth either way, so that a thousand agents that were started together do not stay together. */
function jitter(intervalMs: number): number {
  return Math.round(intervalMs * (0.9 + Math.random() * 0.2));
}

/** What the health checks know of the rounds. */
class Progress {
  readonly #clock: Clock;
  readonly #limitMs: number;
  #lastRoundAt: number;
  #problem: string | undefined = "no round has ended yet";

  constructor(config: AgentConfig, clock: Clock) {
    this.#clock = clock;
    this.#lastRoundAt = clock.monotonic();
    // A round may take its reading's whole time and some slow calls; three intervals without an end is a stuck agent.
    this.#limitMs = 3 * config.intervalMs + config.nvidiaSmi.timeoutMs + 60_000;
  }

  note(published: boolean, problem?: string): void {
    this.#lastRoundAt = this.#clock.monotonic();
    this.#problem = published ? undefined : problem;
  }

  checkAlive(): boolean | string {
    const idleMs = Math.round(this.#clock.monotonic() - this.#lastRoundAt);
    return idleMs <= this.#limitMs || `no round has ended for ${idleMs} ms`;
  }

  checkPublished(): boolean | string {
    return this.#problem ?? true;
  }
}
