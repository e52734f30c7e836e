/**
 * A data directory of the embedded API server with many tasks that wait: the first is created and explained over the API, the others
 * are copies of it in the server's journal, as it would have written them. To create 100,000 one by one takes minutes. Called by
 * `pool.ts`. Effects: the directory.
 */
import { randomUUID } from "node:crypto";
import { silentLogger } from "../../src/base/log.ts";
import { startApiServer } from "../../src/embedded/apiserver/server.ts";
import { openDataDir } from "../../src/embedded/apiserver/storage/data-dir.ts";
import { applyObjects, readManifests } from "../../src/embedded/up/manifests.ts";
import { createClient } from "../../src/kube/client.ts";
import { createStaticConnection } from "../../src/kube/connection.ts";
import { objectKey } from "../../src/kube/object.ts";
import { createTransport } from "../../src/kube/transport.ts";
import { formatTime, type TaskObject, tasks } from "../../src/operator/kinds.ts";
import { explainTask } from "../../src/protocol/lifecycle.ts";
import { newStatus } from "../../src/protocol/task-stage.ts";

/** What an operator says of them as long as no worker has called: it has nothing to write then. */
const because = { reason: "WorkersOffline", message: "0/1 workers: 1 offline" };
/** They look as if they had come at this pace, the last of them now. */
const perSecond = 500;
/** Writes between two waits for the disk. */
const writesAtOnce = 1_000;

export async function seedTasks(dir: string, first: TaskObject, count: number): Promise<void> {
  const key = objectKey(await createExplained(dir, first));
  const fail = (error: Error) => {
    throw error;
  };
  const { store, close } = await openDataDir(dir, { onFailure: fail });
  const resource = `${tasks.plural}.${tasks.apiVersion.split("/")[0]}`;
  const original = store.get(resource, key)?.object as TaskObject | undefined;
  if (original === undefined) throw new Error(`${key} is not in ${resource} of the data directory`);
  const nowMs = Date.now();
  for (let index = 1; index < count; index++) {
    const copy = copyOf(original, index, nowMs - (1_000 * (count - index)) / perSecond);
    store.create(resource, objectKey(copy), copy as unknown as Parameters<typeof store.create>[2]);
    if (index % writesAtOnce === 0) await store.flushed();
  }
  await close();
}

async function createExplained(dir: string, task: TaskObject): Promise<TaskObject> {
  const server = await startApiServer({ logger: silentLogger, dataDir: dir });
  const { url, adminToken, caPem } = server;
  const connection = createStaticConnection({ server: url, token: adminToken, ca: caPem });
  const transport = createTransport(connection, { fieldManager: "inferium-agent" });
  try {
    await applyObjects(transport, await readManifests("crds"));
    const client = createClient(transport, tasks);
    const created = await client.create(task);
    const context = { generation: created.metadata.generation ?? 0, now: formatTime(Date.now()) };
    return await client.updateStatus({
      ...created,
      status: explainTask(created.status ?? newStatus, because, context),
    });
  } finally {
    await transport.close();
    await server.close();
  }
}

/** Another name, another time, another input. */
function copyOf(original: TaskObject, index: number, madeAtMs: number): TaskObject {
  const { metadata, spec, status } = original;
  const time = formatTime(madeAtMs);
  const [[input = "", tensor] = []] = Object.entries(spec.input.inline ?? {});
  const inline = { [input]: { ...tensor, data: tensor?.data?.map((_, at) => (index + at) % 1_000) } };
  return {
    ...original,
    metadata: { ...metadata, name: `queued-${index}`, uid: randomUUID(), creationTimestamp: time },
    spec: { ...spec, input: { ...spec.input, inline } } as TaskObject["spec"],
    status: {
      ...(status ?? newStatus),
      conditions: (status?.conditions ?? []).map((condition) => ({ ...condition, lastTransitionTime: time })),
    },
  };
}
