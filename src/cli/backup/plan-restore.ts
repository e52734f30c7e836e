/**
 * Which tasks of a backup may come back, and how. A task gets another uid when it is created again, so neither chain nor
 * validators would know it: one that is in a batch must never be run a second time. Pure but for what it reads of the backup.
 */
import type { InferenceTask } from "../../api/v1alpha1/types.ts";
import { InferiumError } from "../../base/errors.ts";
import { readConfigMapRecord } from "../../kube/config-map-record.ts";
import { readShard } from "../../protocol/shards/shard-task.ts";
import { isOver } from "../task-summary.ts";
import type { Backup } from "./backup-file.ts";

export interface RestorePlan {
  /** With their status: settled, failed or rejected. */
  readonly over: readonly InferenceTask[];
  /** Not over when the backup was taken, and in no batch: they can be run anew. */
  readonly inFlight: readonly InferenceTask[];
  /** Not over, but in a batch that is settled or will be; or cut into shards of which one is. */
  readonly inBatch: readonly InferenceTask[];
}

const bodyLabel = "batch-body-record";

/** @param componentLabel key of the label that tells records apart. @throws InferiumError RecordDamaged */
export async function planRestore(backup: Backup, componentLabel: string): Promise<RestorePlan> {
  const byName = new Map(backup.records.map((record) => [record.metadata.name, record]));
  const reader = {
    get: async ({ name }: { readonly name: string }) => {
      const found = byName.get(name);
      if (found) return found;
      throw new InferiumError("RecordDamaged", `The record ${name} is not in the backup as a whole; take another one.`);
    },
  };
  const settled = new Set<string>();
  for (const head of backup.records) {
    if (head.metadata.labels?.[componentLabel] !== bodyLabel) continue;
    const body = (await readConfigMapRecord(reader, head)) as { members?: readonly { readonly uid: string }[] };
    for (const { uid } of body.members ?? []) settled.add(uid);
  }
  const over = backup.tasks.filter(isOver);
  // A batch that is run anew makes its shards anew, and one of which a shard is settled is never run anew.
  const open = backup.tasks.filter((task) => !isOver(task) && readShard(task) === undefined);
  for (const task of backup.tasks) {
    const batch = readShard(task)?.batch.uid;
    if (batch !== undefined && (settled.has(task.metadata.uid ?? "") || task.status?.settlement)) settled.add(batch);
  }
  const isInBatch = ({ metadata }: InferenceTask) => settled.has(metadata.uid ?? "");
  return { over, inFlight: open.filter((task) => !isInBatch(task)), inBatch: open.filter(isInBatch) };
}
