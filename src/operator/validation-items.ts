/** Stage 6: what a panel must run, gathered once for each Validation and kept while it is asked. */
import { InferiumError } from "../base/errors.ts";
import type { KubeClient } from "../kube/client.ts";
import { objectKey } from "../kube/object.ts";
import type { InlineTensors, ValidateDuty } from "../pool/wire.ts";
import { computeTaskId } from "../protocol/typed-data.ts";
import type { TaskObject, ValidationObject } from "./kinds.ts";
import type { TaskEntry, TaskLedger } from "./ledger.ts";
import type { OutputCache } from "./output-cache.ts";
import { type InputSources, policyOf, resolveInput } from "./task-inputs.ts";

export interface ItemSources extends InputSources {
  readonly ledger: TaskLedger;
  readonly outputs: OutputCache;
  readonly tasks: KubeClient<TaskObject>;
}

type Items = ValidateDuty["items"];

export interface ItemBook {
  build(validation: ValidationObject): Promise<Items>;
  drop(key: string): void;
}

export function createItemBook(sources: ItemSources): ItemBook {
  const kept = new Map<string, Promise<Items>>();
  return {
    build: (validation) => {
      const key = objectKey(validation);
      const items = kept.get(key) ?? buildItems(sources, validation);
      kept.set(key, items);
      items.catch(() => kept.delete(key));
      return items;
    },
    drop: (key) => void kept.delete(key),
  };
}

async function buildItems(sources: ItemSources, { metadata, spec }: ValidationObject): Promise<Items> {
  const items: Items[number][] = [];
  for (const { task, uid, attempt } of spec.receipts) {
    const entry = sources.ledger.get(`${metadata.namespace}/${task}`);
    const receipt = entry?.status.receipt;
    if (!entry || entry.uid !== uid || receipt?.message.attempt !== attempt) throw gone(task, uid, attempt);
    const output = await findOutput(sources, entry);
    items.push({
      taskId: computeTaskId(uid),
      attempt,
      model: { uri: entry.task.spec.model.uri, digest: entry.task.spec.model.digest },
      input: await resolveInput(sources, entry.task),
      verification: policyOf(entry.task),
      receipt: { message: receipt.message, signature: receipt.signature },
      ...(output ? { output } : {}),
    });
  }
  return items;
}

/** Only where values are compared: for Exact the digest in the receipt says it all. */
async function findOutput({ outputs, tasks }: ItemSources, entry: TaskEntry): Promise<InlineTensors | undefined> {
  if (entry.task.spec.verification.policy !== "Tolerance") return undefined;
  const cached = outputs.get(`${entry.uid}/${entry.status.receipt?.message.attempt}`);
  if (cached) return cached;
  const { namespace, name } = entry.task.metadata;
  const { status } = await tasks.get({ namespace, name });
  return status?.output?.inline as InlineTensors | undefined;
}

/** The panel can no longer judge the receipt, and needs a vote on each: the rest is heard by another panel. */
function gone(task: string, uid: string, attempt: number): InferiumError {
  return new InferiumError(
    "ReceiptGone",
    `Attempt ${attempt} of task ${task} (${uid}) is gone; it cannot be judged any more.`,
  );
}
