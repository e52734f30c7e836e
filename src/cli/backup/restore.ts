/**
 * `inferium restore FILE`: brings a backup back into a cluster that has lost its objects, before an operator starts there. What is
 * over comes back with its status and is never run again; what was in flight is run anew only if asked, and what is in a
 * batch never is. Effects: ConfigMaps, WorkerNodes, InferenceTasks and their status.
 */
import { labels } from "../../api/v1alpha1/labels.ts";
import { InferiumError } from "../../base/errors.ts";
import { isAlreadyExists } from "../../kube/api-error.ts";
import { createClient } from "../../kube/client.ts";
import { configMaps, leases } from "../../kube/core-resources.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { ResourceType } from "../../kube/resource.ts";
import { type CliContext, type ClusterOptions, tasks, workerNodes } from "../context.ts";
import { readBackup } from "./backup-file.ts";
import { planRestore } from "./plan-restore.ts";

export interface RestoreOptions extends ClusterOptions {
  readonly systemNamespace: string;
  /** Create what was in flight again, as new tasks. */
  readonly resubmit: boolean;
}

/** @returns the exit status. @throws InferiumError BackupUnreadable, OperatorRuns, RecordsExist */
export async function runRestore(path: string, options: RestoreOptions, context: CliContext): Promise<number> {
  const backup = await readBackup(path);
  const plan = await planRestore(backup, labels.component);
  await checkNobodyLeads(options, context);
  await checkNoRecords(options, context);
  const { io } = context;
  for (const node of backup.workerNodes) await bring(workerNodes, node, context);
  for (const task of plan.over) await bring(tasks, task, context);
  for (const { apiVersion, kind, spec, metadata } of options.resubmit ? plan.inFlight : [])
    await create(tasks, { ...{ apiVersion, kind, spec }, metadata: strip(metadata) }, context);
  // The last, so that an operator that starts too early settles nothing: it misses them.
  for (const record of backup.records)
    await create(configMaps, { ...record, metadata: strip(record.metadata) }, context);
  io.out(`Restored of ${backup.takenAt}: ${backup.records.length} records, ${backup.workerNodes.length} members.`);
  io.out(`${plan.over.length} tasks that are over came back with their status.`);
  tell(context, plan.inBatch, "are in a batch and stay away: settled, or settled when the operator starts");
  tell(
    context,
    plan.inFlight,
    options.resubmit
      ? "were in flight and are new tasks now"
      : "were in flight and stay away: --resubmit runs them anew",
  );
  return 0;
}

function tell({ io }: CliContext, found: readonly KubeObject[], what: string): void {
  if (found.length === 0) return;
  io.out(`${found.length} tasks ${what}:`);
  for (const { metadata } of found) io.out(`  ${metadata.namespace}/${metadata.name}`);
}

/** It would find half of what there is, and write over the other half. */
async function checkNobodyLeads({ systemNamespace }: RestoreOptions, context: CliContext): Promise<void> {
  const { items } = await createClient(context.cluster.transport, leases).list({ namespace: systemNamespace });
  for (const { metadata, spec } of items) {
    const { holderIdentity, renewTime, leaseDurationSeconds = 15 } = spec ?? {};
    if (!metadata.name.startsWith("inferium-operator-") || !holderIdentity || renewTime === undefined) continue;
    if (context.clock.now() - Date.parse(renewTime) > leaseDurationSeconds * 1_000) continue;
    const message = `The operator ${holderIdentity} leads in namespace ${systemNamespace}. Scale it to 0, and restore then.`;
    throw new InferiumError("OperatorRuns", message);
  }
}

/** What is there may be newer than the backup: taking it back would settle from the wrong place. */
async function checkNoRecords({ systemNamespace }: RestoreOptions, { cluster }: CliContext): Promise<void> {
  const selection = { namespace: systemNamespace, labelSelector: labels.component };
  const { items } = await createClient(cluster.transport, configMaps).list(selection);
  if (items.length === 0) return;
  const message =
    `Namespace ${systemNamespace} holds ${items.length} records of an operator already. They are not written over: where they are ` +
    `not wanted, delete them first (kubectl -n ${systemNamespace} delete configmap -l ${labels.component}).`;
  throw new InferiumError("RecordsExist", message);
}

interface WithStatus extends KubeObject {
  readonly status?: unknown;
}

/** An object with its status, which a server takes separately. What is there already stays as it is. */
async function bring<T extends WithStatus>(type: ResourceType<T>, object: T, context: CliContext): Promise<void> {
  const { status, ...rest } = object;
  if (!(await create(type, { ...rest, metadata: strip(object.metadata) } as T, context))) return;
  const { name, namespace } = object.metadata;
  const ref = namespace === undefined ? { name } : { name, namespace };
  const client = createClient(context.cluster.transport, type);
  await client.patch(ref, { kind: "merge", subresource: "status", body: { status } });
}

/** @returns false where one of that name is there already */
async function create<T extends KubeObject>(type: ResourceType<T>, object: KubeObject, context: CliContext) {
  try {
    await createClient(context.cluster.transport, type).create(object as T);
    return true;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    context.io.note(`${object.kind} ${object.metadata.name} is there already and stays as it is`);
    return false;
  }
}

/** What only the server that gave it out knows. */
function strip({ name, namespace, labels: own, annotations }: KubeObject["metadata"]): KubeObject["metadata"] {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(own === undefined ? {} : { labels: own }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}
