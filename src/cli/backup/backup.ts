/**
 * `inferium backup`: writes what the operator cannot do without into one file. Records first: a batch that is settled between two
 * reads is then at worst missing as a whole, which the operator notices, and never half there. Effects: one file, whole or not at all.
 */
import { rename, writeFile } from "node:fs/promises";
import { labels } from "../../api/v1alpha1/labels.ts";
import { createClient } from "../../kube/client.ts";
import { configMaps } from "../../kube/core-resources.ts";
import { type CliContext, type ClusterOptions, tasks, workerNodes } from "../context.ts";
import { type Backup, backupFormat } from "./backup-file.ts";

export interface BackupOptions extends ClusterOptions {
  readonly out: string;
  readonly systemNamespace: string;
}

/** @returns the exit status */
export async function runBackup({ out, systemNamespace }: BackupOptions, context: CliContext): Promise<number> {
  const { transport } = context.cluster;
  const { signal } = context;
  const recordsOf = { namespace: systemNamespace, labelSelector: labels.component, signal };
  const records = await createClient(transport, configMaps).list(recordsOf);
  const [taskList, nodeList] = await Promise.all([
    createClient(transport, tasks).list({ signal }),
    createClient(transport, workerNodes).list({ signal }),
  ]);
  const backup: Backup = {
    format: backupFormat,
    takenAt: new Date(context.clock.now()).toISOString(),
    records: records.items,
    tasks: taskList.items,
    workerNodes: nodeList.items,
  };
  await writeFile(`${out}.tmp`, JSON.stringify(backup), { mode: 0o600 });
  await rename(`${out}.tmp`, out);
  const { length } = records.items;
  context.io.out(`${out}: ${length} records, ${taskList.items.length} tasks, ${nodeList.items.length} members`);
  return 0;
}
