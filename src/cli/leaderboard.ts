/** `inferium leaderboard [NAME]`: leaderboards of a namespace, or the ranking of one. */
import type { Leaderboard } from "../api/v1alpha1/types.ts";
import { InferiumError } from "../base/errors.ts";
import { isNotFound } from "../kube/api-error.ts";
import { createClient } from "../kube/client.ts";
import { type CliContext, type ClusterOptions, leaderboards } from "./context.ts";
import { formatLeaderboard, formatLeaderboards } from "./leaderboard-view.ts";

export interface LeaderboardOptions extends ClusterOptions {
  readonly output?: "text" | "json";
}

/** @returns the exit status. @throws InferiumError LeaderboardNotFound */
export async function runLeaderboard(
  name: string | undefined,
  options: LeaderboardOptions,
  context: CliContext,
): Promise<number> {
  const { io } = context;
  if (name === undefined) {
    const items = await list(context);
    for (const line of options.output === "json" ? [JSON.stringify(items.map(toJson))] : formatLeaderboards(items))
      io.out(line);
    return 0;
  }
  const one = await get(name, context);
  for (const line of options.output === "json" ? [JSON.stringify(toJson(one))] : formatLeaderboard(one)) io.out(line);
  return 0;
}

async function list({ cluster, signal }: CliContext): Promise<readonly Leaderboard[]> {
  const { transport, namespace } = cluster;
  return (await createClient(transport, leaderboards).list({ namespace, signal })).items;
}

async function get(name: string, { cluster, signal }: CliContext): Promise<Leaderboard> {
  const { transport, namespace } = cluster;
  try {
    return await createClient(transport, leaderboards).get({ namespace, name }, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const message = `There is no leaderboard ${name} in namespace ${namespace}; another one is chosen with --namespace.`;
    throw new InferiumError("LeaderboardNotFound", message, { cause: error });
  }
}

/** The status is the result; of the rest what says which one it is. */
function toJson({ metadata, spec, status }: Leaderboard): object {
  const { namespace, name } = metadata;
  return { namespace, name, task: spec.task, metrics: spec.metrics, ...status };
}
