/** What a backup holds: the operator's records and our objects with their status, as the API server gave them. No Secrets. */
import { readFile } from "node:fs/promises";
import type { InferenceTask, WorkerNode } from "../../api/v1alpha1/types.ts";
import { InferiumError } from "../../base/errors.ts";
import type { ConfigMap } from "../../kube/core-resources.ts";

export const backupFormat = "inferium-backup/1";

export interface Backup {
  readonly format: typeof backupFormat;
  /** RFC 3339. */
  readonly takenAt: string;
  /** What the operator remembers: batches, reputation, penalties, bans. */
  readonly records: readonly ConfigMap[];
  readonly tasks: readonly InferenceTask[];
  readonly workerNodes: readonly WorkerNode[];
}

/** @throws InferiumError BackupUnreadable */
export async function readBackup(path: string): Promise<Backup> {
  let cause: unknown;
  try {
    const found = JSON.parse(await readFile(path, "utf8")) as Backup;
    if (found.format === backupFormat && Array.isArray(found.records)) return found;
  } catch (error) {
    cause = error;
  }
  const message = `${path} is no backup; expected a file that inferium backup wrote, of format ${backupFormat}.`;
  throw new InferiumError("BackupUnreadable", message, { cause });
}
