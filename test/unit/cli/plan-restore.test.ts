import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { InferenceTask } from "../../../src/api/v1alpha1/types.ts";
import { sha256 } from "../../../src/base/digest.ts";
import { type Backup, backupFormat } from "../../../src/cli/backup/backup-file.ts";
import { planRestore } from "../../../src/cli/backup/plan-restore.ts";

const componentLabel = "inferium.io/component";

function aRecord(members: readonly string[], parts = 1) {
  const zipped = gzipSync(JSON.stringify({ data: {}, members: members.map((uid) => ({ key: `ns/${uid}`, uid })) }));
  return {
    ...{ apiVersion: "v1", kind: "ConfigMap" },
    metadata: { name: "inferium-batch-body-000000000001", labels: { [componentLabel]: "batch-body-record" } },
    data: { parts: String(parts), digest: sha256(zipped) },
    binaryData: { body: zipped.toString("base64") },
  };
}

const aTask = (uid: string, phase?: string) =>
  ({ metadata: { name: uid, namespace: "ns", uid }, ...(phase ? { status: { phase } } : {}) }) as InferenceTask;

const aBackup = (records: Backup["records"], tasks: readonly InferenceTask[]): Backup => ({
  ...{ format: backupFormat, takenAt: "2026-01-01T00:00:00Z", records, tasks, workerNodes: [] },
});

const namesOf = (found: readonly InferenceTask[]) => found.map(({ metadata }) => metadata.name);

test("a task that is in a batch is never run anew, whatever its status says", async () => {
  const tasks = [aTask("new"), aTask("waits", "Queued"), aTask("batched", "Settling"), aTask("paid", "Succeeded")];
  const plan = await planRestore(
    aBackup([aRecord(["batched", "paid"])], [...tasks, aTask("bad", "Failed")]),
    componentLabel,
  );
  expect(namesOf(plan.over)).toEqual(["paid", "bad"]);
  expect(namesOf(plan.inFlight)).toEqual(["new", "waits"]);
  expect(namesOf(plan.inBatch)).toEqual(["batched"]);
});

test("shards come back with their batch alone, and a batch with a settled shard is never run anew", async () => {
  const shardOf = (batch: string, index: number, phase?: string) => {
    const owner = { apiVersion: "", kind: "InferenceTask", name: batch, uid: batch, controller: true };
    const task = aTask(`${batch}-${batch.slice(0, 8)}-${index}`, phase);
    const own = { labels: { "inferium.io/shard": String(index) }, ownerReferences: [owner] };
    return { ...task, metadata: { ...task.metadata, ...own } } as InferenceTask;
  };
  const tasks = [
    ...[aTask("fresh"), shardOf("fresh", 0), shardOf("fresh", 1, "Assigned")],
    ...[aTask("half"), shardOf("half", 0, "Settling"), shardOf("half", 1)],
  ];
  const plan = await planRestore(aBackup([aRecord(["half-half-0"])], tasks), componentLabel);
  expect(namesOf(plan.inFlight)).toEqual(["fresh"]);
  expect(namesOf(plan.inBatch)).toEqual(["half"]);
});

test("a record that is not there as a whole is refused", async () => {
  const backup = aBackup([aRecord(["a"], 2)], []);
  await expect(planRestore(backup, componentLabel)).rejects.toMatchObject({ code: "RecordDamaged" });
});
