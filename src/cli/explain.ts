/** `inferium explain NAME`: why a task waits, or how it ended. */
import { labels } from "../api/v1alpha1/labels.ts";
import type { InferenceTask, Validation } from "../api/v1alpha1/types.ts";
import { InferiumError } from "../base/errors.ts";
import { isNotFound } from "../kube/api-error.ts";
import { createClient } from "../kube/client.ts";
import { isSharded, readShard } from "../protocol/shards/shard-task.ts";
import { type CliContext, type ClusterOptions, tasks, validations } from "./context.ts";
import { explainTask, formatExplanation } from "./explain-task.ts";

export interface ExplainOptions extends ClusterOptions {
  readonly output?: "text" | "json";
}

/** @returns the exit status. @throws InferiumError TaskNotFound */
export async function runExplain(name: string, options: ExplainOptions, context: CliContext): Promise<number> {
  const task = await getTask(name, context);
  const explanation = explainTask(task, await findValidation(task, context), await findShards(task, context));
  const isJson = options.output === "json";
  for (const line of isJson ? [JSON.stringify(explanation)] : formatExplanation(explanation)) context.io.out(line);
  return 0;
}

async function getTask(name: string, { cluster, signal }: CliContext): Promise<InferenceTask> {
  try {
    return await createClient(cluster.transport, tasks).get({ namespace: cluster.namespace, name }, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const message = `There is no task ${name} in namespace ${cluster.namespace}; another one is chosen with --namespace.`;
    throw new InferiumError("TaskNotFound", message, { cause: error });
  }
}

/** Of a batch that is cut into them; its owner references say which are its own. */
async function findShards(task: InferenceTask, { cluster, signal }: CliContext): Promise<InferenceTask[]> {
  if (!isSharded(task.spec)) return [];
  const { namespace } = cluster;
  const labelSelector = `${labels.batch}=${task.metadata.name}`;
  const { items } = await createClient(cluster.transport, tasks).list({ namespace, labelSelector, signal });
  return items.filter((item) => readShard(item)?.batch.uid === task.metadata.uid);
}

/** The verdict names it; before that, it is the one that lists the task's receipt. It may be deleted already. */
async function findValidation(task: InferenceTask, { cluster, signal }: CliContext): Promise<Validation | undefined> {
  const digest = task.status?.receipt?.digest;
  if (digest === undefined) return undefined;
  const { items } = await createClient(cluster.transport, validations).list({ namespace: cluster.namespace, signal });
  const judging = items.filter(({ spec }) => spec.receipts.some((receipt) => receipt.digest === digest));
  const named = judging.find(({ metadata }) => metadata.name === task.status?.verdict?.validation);
  // After an inconclusive vote a second, larger panel judges the same receipt.
  return named ?? judging.toSorted((a, b) => b.spec.round - a.spec.round)[0];
}
