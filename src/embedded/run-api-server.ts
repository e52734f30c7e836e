/**
 * `inferium apiserver`: the embedded API server by itself, until a signal. Effects: the listener, the data directory where
 * one is given, the kubeconfig's file, and lines on standard output that say what to do with it.
 */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { describeError, InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { type ApiServer, startApiServer } from "./apiserver/server.ts";

export interface RunApiServerOptions {
  readonly host: string;
  readonly port: number;
  readonly dataDir?: string | undefined;
  /** Where the administrator's kubeconfig goes. */
  readonly kubeconfigOut: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** @throws InferiumError ListenFailed, DataDirLocked, DataDirUnusable, DataDamaged, KubeconfigUnwritable, StorageFailed */
export async function runApiServer(options: RunApiServerOptions): Promise<void> {
  const { host, port, dataDir, logger, signal, say } = options;
  const failed = Promise.withResolvers<never>();
  // It may come before anybody waits for it.
  failed.promise.catch(() => undefined);
  const server = await startApiServer({
    host,
    port,
    logger,
    onStorageFailure: failed.reject,
    ...(dataDir === undefined ? {} : { dataDir: resolve(dataDir) }),
  });
  const path = resolve(options.kubeconfigOut);
  try {
    await writeKubeconfig(path, server);
    say(
      `Kubernetes API server on ${server.url}, ${dataDir ? `kept in ${resolve(dataDir)}` : "in memory: gone when it stops"}.`,
    );
    say(`export KUBECONFIG=${path}`);
    say("kubectl get namespaces");
    say("Stop it with Ctrl-C or SIGTERM.");
    await Promise.race([untilAborted(signal), failed.promise]);
  } finally {
    await server.close();
    // Without a data directory its token is good for nothing any more.
    if (dataDir === undefined) await rm(path, { force: true });
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => signal.addEventListener("abort", () => done(), { once: true }));
}

async function writeKubeconfig(path: string, server: ApiServer): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    // Moved into place, so that nobody reads half of it.
    await writeFile(`${path}.new`, server.kubeconfig(), { mode: 0o600 });
    await rename(`${path}.new`, path);
  } catch (cause) {
    throw new InferiumError(
      "KubeconfigUnwritable",
      `the kubeconfig cannot be written to ${path} (${describeError(cause)}): give another file with --kubeconfig-out.`,
      { disposition: "fatal" },
    );
  }
}
