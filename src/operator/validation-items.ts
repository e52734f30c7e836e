/** Stage 6: what a panel must run, gathered once for each Validation and kept while it is asked. */
import { InferiumError } from "../base/errors.ts";
import type { KubeClient } from "../kube/client.ts";
import { objectKey } from "../kube/object.ts";
import type { JudgeItem } from "../pool/duty.ts";
import type { InlineTensors, ServedCalls } from "../pool/work-assignment.ts";
import { computeTaskId } from "../protocol/typed-data.ts";
import type { TaskObject, ValidationObject } from "./kinds.ts";
import type { TaskEntry, TaskLedger } from "./ledger.ts";
import type { ModelCatalog } from "./models/model-catalog.ts";
import type { OutputCache } from "./output-cache.ts";
import { trainingOf } from "./pod-terms.ts";
import { type InputSources, policyOf, resolveInput } from "./task-inputs.ts";

export interface ItemSources extends InputSources {
  readonly ledger: TaskLedger;
  readonly outputs: OutputCache;
  readonly tasks: KubeClient<TaskObject>;
  readonly catalog: Pick<ModelCatalog, "calibrationOf">;
}

type Items = readonly JudgeItem[];

export interface ItemBook {
  build(validation: ValidationObject): Promise<Items>;
  /** For jurors and watchers. @throws InferiumError ReceiptGone */
  buildOne(entry: TaskEntry | undefined, attempt: number): Promise<JudgeItem>;
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
    buildOne: (entry, attempt) => buildItem(sources, entry, { name: entry?.task.metadata.name ?? "", attempt }),
    drop: (key) => void kept.delete(key),
  };
}

async function buildItems(sources: ItemSources, { metadata, spec }: ValidationObject): Promise<Items> {
  const items: JudgeItem[] = [];
  for (const { task, uid, attempt } of spec.receipts) {
    const entry = sources.ledger.get(`${metadata.namespace}/${task}`);
    const item = await buildItem(sources, entry?.uid === uid ? entry : undefined, { name: task, attempt });
    items.push(item.training ? { ...item, sampleSeed: spec.seed } : item);
  }
  return items;
}

async function buildItem(
  sources: ItemSources,
  entry: TaskEntry | undefined,
  wanted: { readonly name: string; readonly attempt: number },
): Promise<JudgeItem> {
  const receipt = entry?.status.receipt;
  if (!entry || receipt?.message.attempt !== wanted.attempt) throw gone(wanted.name, wanted.attempt);
  const output = await findOutput(sources, entry);
  const { input, calls } = await resolveInput(sources, entry.task);
  const training = trainingOf(entry.task.spec);
  return {
    taskId: computeTaskId(entry.uid),
    attempt: wanted.attempt,
    model: { uri: entry.task.spec.model.uri, digest: entry.task.spec.model.digest },
    input,
    verification: policyOf(entry.task),
    receipt: { message: receipt.message, signature: receipt.signature },
    ...calibrationOf(sources, entry.task),
    ...(output ? { output } : {}),
    ...(calls ? { calls: { statement: calls.statement, opened: calls.opened, ...contentOf(calls) } } : {}),
    ...(training ? { training } : {}),
  };
}

const contentOf = ({ content }: ServedCalls) => (content === undefined ? {} : { content });

/** Only where values are compared within bounds. */
function calibrationOf({ catalog }: ItemSources, { metadata, spec }: TaskObject): Pick<JudgeItem, "calibration"> {
  if (spec.verification.policy !== "Tolerance") return {};
  const calibration = catalog.calibrationOf(metadata.namespace ?? "", spec.model.digest);
  return calibration ? { calibration } : {};
}

/** Only where values are compared, proven, checked, or were given to callers: else the digest in the receipt says it all. */
async function findOutput({ outputs, tasks }: ItemSources, entry: TaskEntry): Promise<InlineTensors | undefined> {
  const { calls, training, verification } = entry.task.spec;
  const { policy } = verification;
  const isCompared = policy === "Tolerance" || policy === "ZeroKnowledge";
  if (!isCompared && calls === undefined && training === undefined) return undefined;
  const cached = outputs.get(`${entry.uid}/${entry.status.receipt?.message.attempt}`);
  if (cached) return cached;
  const { namespace, name } = entry.task.metadata;
  const { status } = await tasks.get({ namespace, name });
  return status?.output?.inline as InlineTensors | undefined;
}

/** The panel can no longer judge the receipt, and needs a vote on each: the rest is heard by another panel. */
function gone(task: string, attempt: number): InferiumError {
  return new InferiumError("ReceiptGone", `Attempt ${attempt} of task ${task} is gone; it cannot be judged any more.`);
}
