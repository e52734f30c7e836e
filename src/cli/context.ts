/** What every verb of the command line works with: where it writes, and the cluster that it talks to. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import type { InferenceTask, Leaderboard, Validation, WorkerNode } from "../api/v1alpha1/types.ts";
import {
  inferenceTaskResource,
  leaderboardResource,
  validationResource,
  workerNodeResource,
} from "../api/v1alpha1/types.ts";
import type { Clock } from "../base/clock.ts";
import { loadKubeConnection } from "../kube/connection.ts";
import { defineResource } from "../kube/resource.ts";
import { createTransport, type Transport } from "../kube/transport.ts";

export const tasks = defineResource<InferenceTask>(inferenceTaskResource);
export const leaderboards = defineResource<Leaderboard>(leaderboardResource);
export const validations = defineResource<Validation>(validationResource);
export const workerNodes = defineResource<WorkerNode>(workerNodeResource);

export interface CliIo {
  /** A line of the result. */
  out(line: string): void;
  /** A line of progress, which is not the result. */
  note(line: string): void;
}

export interface Cluster {
  readonly transport: Transport;
  /** Namespace of the kubeconfig's context. */
  readonly namespace: string;
}

export interface CliContext {
  readonly io: CliIo;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The option, then the files of KUBECONFIG that exist, then ~/.kube/config: as kubectl looks. */
export function decideKubeconfig(options: ClusterOptions, env: Environment): readonly string[] {
  if (options.kubeconfig !== undefined) return [options.kubeconfig];
  const listed = [...new Set((env.KUBECONFIG ?? "").split(delimiter).filter((path) => path !== ""))];
  if (listed.length === 0) return [join(env.HOME ?? homedir(), ".kube", "config")];
  const existing = listed.filter((path) => existsSync(path));
  // Where none exists, the first is named in the error.
  return existing.length > 0 ? existing : listed.slice(0, 1);
}

/** Runs `work` against the cluster and closes the connection after it. @throws InferiumError KubeconfigInvalid */
export async function withCluster<T>(
  options: ClusterOptions,
  env: Environment,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const { context } = options;
  const connection = await loadKubeConnection({ kubeconfigPath: decideKubeconfig(options, env), context });
  const transport = createTransport(connection, { fieldManager: "inferium-cli" });
  try {
    return await work({ transport, namespace: options.namespace ?? connection.namespace });
  } finally {
    await transport.close();
  }
}
