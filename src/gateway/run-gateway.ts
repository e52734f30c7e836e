/** `inferium gateway` from its configuration: files in place of a pool where the configuration names them. Started by main.ts. */
import { readFile } from "node:fs/promises";
import type { Registry } from "prom-client";
import { InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { AgentDirectory, CallSink, LoadSink } from "../pool/agents.ts";
import type { GatewayRoleConfig } from "./config.ts";
import { createFolderSink, readFileDirectory } from "./file-directory.ts";
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
  /** Left out: the files that the configuration names. */
  readonly pool?: GatewayPool;
  readonly onReady?: (url: string) => void;
}

/** Resolves after a graceful stop. @throws InferiumError where the configuration cannot work */
export async function runGateway(config: GatewayRoleConfig, dependencies: RunGatewayDependencies): Promise<void> {
  const { signal, logger, registry, onReady } = dependencies;
  const pool = dependencies.pool ?? (await openFiles(config, logger));
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
}

async function openFiles(config: GatewayRoleConfig, logger: Logger): Promise<GatewayPool> {
  if (config.agentsFile === undefined) {
    const message = "INFERIUM_AGENTS_FILE is not set, and no pool is there to tell which agents there are.";
    throw new InferiumError("InvalidConfiguration", message, { disposition: "fatal" });
  }
  logger.warn("windows of calls are written to a folder, and nothing is settled", { dir: config.windowsDir });
  return { directory: await readFileDirectory(config.agentsFile), sink: createFolderSink(config.windowsDir) };
}
