/** `inferium gateway` from its configuration: files in place of a pool where the configuration names them. Started by main.ts. */
import { readFile } from "node:fs/promises";
import type { Registry } from "prom-client";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { AgentDirectory, CallSink, LoadSink } from "../pool/agents.ts";
import type { GatewayRoleConfig } from "./config.ts";
import { createFolderSink, readFileDirectory } from "./file-directory.ts";
import { type JoinedPool, type JoinParts, joinAgents } from "./join-agents.ts";
import { startGateway } from "./start-gateway.ts";

/** Where agents come from and windows go to: the pool's, by the pool API. */
export interface GatewayPool {
  readonly directory: AgentDirectory;
  readonly sink: CallSink;
  readonly loads?: LoadSink;
}

export interface RunGatewayDependencies {
  /** Aborted to stop. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly registry?: Registry;
  readonly clock?: Clock;
  readonly onReady?: (url: string) => void;
}

/** Resolves after a graceful stop. @throws InferiumError where the configuration cannot work */
export async function runGateway(config: GatewayRoleConfig, dependencies: RunGatewayDependencies): Promise<void> {
  const { signal, logger, registry, clock = systemClock, onReady } = dependencies;
  const pool = config.pool
    ? await joinAgents(config.pool, { signal, logger, clock })
    : await openFiles(config, { logger, clock });
  if (pool === undefined) return;
  try {
    const tls = config.tlsFiles && {
      certPem: await readFile(config.tlsFiles.certFile, "utf8"),
      keyPem: await readFile(config.tlsFiles.keyFile, "utf8"),
    };
    const gateway = await startGateway({ ...config, tls }, { ...pool, logger, ...(registry ? { registry } : {}) });
    onReady?.(gateway.url);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await gateway.close();
  } finally {
    await pool.close();
  }
}

async function openFiles(
  { agentsFile = "", windowsDir }: GatewayRoleConfig,
  { logger, clock }: Pick<JoinParts, "logger" | "clock">,
): Promise<JoinedPool> {
  logger.warn("windows of calls are written to a folder, and nothing is settled", { dir: windowsDir });
  const directory = await readFileDirectory(agentsFile);
  return { directory, sink: createFolderSink(windowsDir), clock, close: async () => undefined };
}
