/**
 * One task as the operator keeps it: what the informer's store and the ledger hold, and the same one in both. As many of these
 * are in memory as there are tasks, so that what many tasks have in common is there once, an input is text until somebody reads
 * it, and what only a worker or a validator needs is not kept at all. Pure.
 */
import type { InferenceTaskStatus } from "../api/v1alpha1/generated/inferencetasks.ts";
import { newStatus } from "../protocol/task-stage.ts";
import { type TaskObject, tasks } from "./kinds.ts";
import type { TaskEntry } from "./ledger.ts";
import { maxSharedLength, share, shareAs, shareText } from "./shared-values.ts";

type Metadata = TaskObject["metadata"];
type Spec = TaskObject["spec"];

interface Parts {
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly created: string | undefined;
  /** What is left of it without the fields above. */
  readonly metadata: Partial<Metadata>;
  /** Without the input; its JSON where it is too long for another task to have the same. */
  readonly spec: Partial<Spec> | string | undefined;
  /** JSON. */
  readonly input: string | undefined;
  readonly written: InferenceTaskStatus | undefined;
}

export class KeptTask implements TaskEntry {
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** The server's. */
  readonly written: InferenceTaskStatus | undefined;
  readonly status: InferenceTaskStatus;
  readonly #created: string | undefined;
  readonly #metadata: Partial<Metadata>;
  readonly #spec: Partial<Spec> | string | undefined;
  readonly #input: string | undefined;
  #task: TaskObject | undefined;

  constructor(parts: Parts, status: InferenceTaskStatus) {
    this.key = parts.key;
    this.uid = parts.uid;
    this.resourceVersion = parts.resourceVersion;
    this.written = parts.written;
    this.status = status;
    this.#created = parts.created;
    this.#metadata = parts.metadata;
    this.#spec = parts.spec;
    this.#input = parts.input;
    this.#task = undefined;
  }

  /** Made when somebody reads it, and kept while few others are read. Nobody may change it. */
  get task(): TaskObject {
    if (this.#task !== undefined) return this.#task;
    this.#task = this.#build();
    const longest = recent[nextRecent];
    recent[nextRecent] = this;
    nextRecent = (nextRecent + 1) % recentTasks;
    if (longest !== undefined && longest !== this) longest.#task = undefined;
    return this.#task;
  }

  get generation(): number {
    return this.#metadata.generation ?? 0;
  }

  /** The same task with a draft as its status, or without one. */
  withStatus(status: InferenceTaskStatus): KeptTask {
    if (status === this.status) return this;
    const [created, metadata, spec, input] = [this.#created, this.#metadata, this.#spec, this.#input];
    const { key, uid, resourceVersion, written } = this;
    return new KeptTask({ key, uid, resourceVersion, created, metadata, spec, input, written }, status);
  }

  /** Some are read as soon as the operator starts: all that wait. So fields are set, which costs a third of spreading them. */
  #build(): TaskObject {
    const metadata: Metadata = { ...this.#metadata, name: this.key.slice(this.key.indexOf("/") + 1) };
    if (this.uid !== "") metadata.uid = this.uid;
    if (this.resourceVersion !== "") metadata.resourceVersion = this.resourceVersion;
    if (this.#created !== undefined) metadata.creationTimestamp = this.#created;
    // Of a task as somebody wrote it even what is required may not be there: that is for its admission to say.
    let spec = (typeof this.#spec === "string" ? JSON.parse(this.#spec) : this.#spec) as Spec;
    if (this.#input !== undefined) spec = { ...spec, input: JSON.parse(this.#input) as Spec["input"] };
    const task: TaskObject = { apiVersion: tasks.apiVersion, kind: "InferenceTask", metadata, spec };
    if (this.written !== undefined) task.status = this.written;
    return task;
  }
}

/** A task that is looked at is looked at a few times within a moment. */
const recentTasks = 512;
const recent: (KeptTask | undefined)[] = Array.from({ length: recentTasks }, () => undefined);
let nextRecent = 0;

/** Inline tensors of more bytes than this are read from the server when they are needed, not kept for each task. */
const keptInlineBytes = 2_048;

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** @param key as of `objectKey`; one text of it is enough */
export function keepTask(task: TaskObject, key: string): KeptTask {
  const { name: _, uid = "", resourceVersion = "", creationTimestamp, ...metadata } = task.metadata;
  const { input, ...spec } = task.spec ?? {};
  const written = task.status && keepStatus(task.status);
  const parts: Parts = {
    ...{ key, uid, resourceVersion, written },
    created: creationTimestamp === undefined ? undefined : shareText(creationTimestamp),
    metadata: keepMetadata(metadata),
    spec: task.spec === undefined ? undefined : keepSpec(spec),
    input: input === undefined ? undefined : keepInput(input),
  };
  return new KeptTask(parts, written ?? newStatus);
}

function keepMetadata({ managedFields: _, ...metadata }: Partial<Metadata>): Partial<Metadata> {
  const { annotations } = metadata;
  if (annotations === undefined) return share(metadata);
  const { [lastApplied]: __, ...kept } = annotations;
  return share({ ...metadata, annotations: kept });
}

/** Tasks that somebody makes many of differ in little but their names and inputs. */
function keepSpec(spec: Partial<Spec>): Partial<Spec> | string {
  const text = JSON.stringify(spec);
  return text.length > maxSharedLength ? text : shareAs(text, () => shareParts(spec));
}

/** Two specs that differ have most of their parts in common. */
function shareParts({ model, verification, resources, requester, ...rest }: Partial<Spec>): Partial<Spec> {
  return {
    ...rest,
    ...(model ? { model: share(model) } : {}),
    ...(verification ? { verification: share(verification) } : {}),
    ...(resources ? { resources: share(resources) } : {}),
    ...(requester === undefined ? {} : { requester: shareText(requester) }),
  };
}

function keepInput(input: Spec["input"]): string {
  const text = JSON.stringify(input);
  if (input.inline === undefined || text.length <= keptInlineBytes) return text;
  const { inline, ...source } = input;
  return JSON.stringify(inline).length <= keptInlineBytes ? text : JSON.stringify(source);
}

function keepStatus(status: InferenceTaskStatus): InferenceTaskStatus {
  // What every task begins with, and what is said of all that wait for the same thing in the same second.
  if (status.assignment === undefined && status.attempts === undefined && status.receipt === undefined)
    return share(status);
  if (!status.output?.inline) return status;
  const { inline: _, ...output } = status.output;
  return { ...status, output };
}
