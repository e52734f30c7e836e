/** Makes the tasks of a batch's shards, each once. Effects: reads the batch whole, creates tasks. */

import type { Clock } from "../../base/clock.ts";
import { InferiumError } from "../../base/errors.ts";
import { isAlreadyExists } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import { objectKey } from "../../kube/object.ts";
import { readInline } from "../../pool/inline-tensors.ts";
import type { InlineTensors } from "../../pool/work-assignment.ts";
import { cutItems } from "../../protocol/shards/cut-items.ts";
import { buildShard, type Shard } from "../../protocol/shards/shard-task.ts";
import { deadlineOf } from "../controllers/assign.ts";
import { keepTask } from "../kept-task.ts";
import { isInputLeftOut, type TaskObject } from "../kinds.ts";
import type { TaskEntry, TaskLedger } from "../ledger.ts";
import { mapConcurrently } from "../map-concurrently.ts";
import { toInline } from "../task-inputs.ts";
import { checkShard } from "./copies.ts";

export interface MakeShardsOptions {
  readonly ledger: TaskLedger;
  readonly tasks: KubeClient<TaskObject>;
  readonly clock: Clock;
}

const writesAtOnce = 8;

/** The ledger has them at once. @throws InferiumError InvalidItems, NameTaken; of tensors */
export async function makeShards(
  options: MakeShardsOptions,
  batch: TaskEntry,
  shards: readonly Shard[],
): Promise<void> {
  if (shards.length === 0) return;
  const cut = await createCutter(options, batch.task);
  const leftMs = deadlineOf(batch) - options.clock.now();
  const deadlineSeconds = Number.isFinite(leftMs) ? Math.max(1, Math.floor(leftMs / 1_000)) : undefined;
  await mapConcurrently(shards, writesAtOnce, async (shard) => {
    const inline = cut(shard) as TaskObject["spec"]["input"]["inline"];
    const manifest = buildShard(batch.task, { shard, inline, deadlineSeconds });
    const made = await create(options, manifest as TaskObject);
    checkShard(batch.task, made, shard);
    const key = objectKey(made);
    options.ledger.observe({ type: "added", key, object: keepTask(made, key) });
  });
}

async function create({ tasks }: MakeShardsOptions, task: TaskObject): Promise<TaskObject> {
  try {
    return await tasks.create(task);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { namespace, name } = task.metadata;
    return tasks.get({ namespace, name });
  }
}

export type CutInput = (shard: Pick<Shard, "range">) => InlineTensors | undefined;

/** Each shard's own part of what the batch holds itself; undefined for an input that is elsewhere. @throws InferiumError */
export async function createCutter({ tasks }: Pick<MakeShardsOptions, "tasks">, batch: TaskObject): Promise<CutInput> {
  if (batch.spec.input.inline === undefined && !isInputLeftOut(batch)) return () => undefined;
  const { namespace, name, uid } = batch.metadata;
  const whole = batch.spec.input.inline ? batch : await tasks.get({ namespace, name });
  if (whole.metadata.uid !== uid) throw new InferiumError("TaskGone", `The task ${name} was deleted.`);
  const inputs = readInline(whole.spec.input.inline as InlineTensors);
  const tensors = whole.spec.input.items?.tensors;
  return ({ range }) => toInline(cutItems(inputs, { ...range, ...(tensors ? { tensors } : {}) }));
}
