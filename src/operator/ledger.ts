/**
 * Every task as it stands, and the only place that writes task statuses. A change is either durable (written before it is
 * answered) or a draft: it holds at once in memory and goes out with the next durable change, or with `flush`. Drafts are
 * made only of what other durable objects already say, so that a restart makes them again. One patch per write, with the
 * resource version that it was decided on.
 */
import { isDeepStrictEqual } from "node:util";
import type { InferenceTaskStatus } from "../api/v1alpha1/generated/inferencetasks.ts";
import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import { isConflict, isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import type { StoreEvent } from "../kube/store.ts";
import type { ChangeContext } from "../protocol/status-change.ts";
import { newStatus } from "../protocol/task-stage.ts";
import { compactTask, formatTime, type TaskObject } from "./kinds.ts";
import { computeMergePatch } from "./merge-patch.ts";
import type { OperatorMetrics } from "./metrics.ts";

export interface TaskEntry {
  /** namespace/name */
  readonly key: string;
  readonly uid: string;
  /** As the server has it, without what is large. */
  readonly task: TaskObject;
  /** As it stands: the server's, with drafts on top. */
  readonly status: InferenceTaskStatus;
}

export interface TaskChange {
  /** The change is for this object, not for another of the same name. */
  readonly uid: string;
  /** Label of the write. */
  readonly stage: string;
  readonly durable: boolean;
  /** Undefined: nothing to change any more. Runs under the task's lock, so it decides on what holds. */
  readonly decide: (status: InferenceTaskStatus, context: ChangeContext) => InferenceTaskStatus | undefined;
}

export type LedgerHandler = (key: string, entry: TaskEntry | undefined, previous: TaskEntry | undefined) => void;

export interface LedgerOptions {
  readonly client: KubeClient<TaskObject>;
  readonly clock: Clock;
  readonly metrics: OperatorMetrics;
}

/** How often a write is tried again after losing against a change of spec or metadata. */
const maxConflicts = 5;

export class TaskLedger {
  readonly #options: LedgerOptions;
  readonly #entries = new Map<string, TaskEntry>();
  readonly #locks = new Map<string, Promise<unknown>>();
  readonly #handlers: LedgerHandler[] = [];

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): TaskEntry | undefined {
    return this.#entries.get(key);
  }

  entries(): IterableIterator<TaskEntry> {
    return this.#entries.values();
  }

  /** Called after every change of what holds; must not throw. */
  onChange(handler: LedgerHandler): void {
    this.#handlers.push(handler);
  }

  /** Takes what the server says, unless a write of our own is already ahead of it. */
  observe(event: StoreEvent<TaskObject>): void {
    const known = this.#entries.get(event.key);
    const { uid = "" } = event.object.metadata;
    if (event.type === "deleted") {
      if (known?.uid === uid) this.#set(event.key, undefined);
      return;
    }
    if (known?.uid === uid && !isNewer(event.object, known.task)) this.#share(event.key, known, event.object);
    else this.#set(event.key, this.#rebase(event, known));
  }

  /** What was written came back: the informer keeps this object, and one of each is enough. */
  #share(key: string, known: TaskEntry, task: TaskObject): void {
    if (task.metadata.resourceVersion !== known.task.metadata.resourceVersion || task === known.task) return;
    const status = known.status === known.task.status ? (task.status ?? newStatus) : known.status;
    this.#entries.set(key, { ...known, task, status });
  }

  /** Resolves with what holds afterwards. @throws InferiumError TaskGone, StatusConflict; KubeApiError */
  change(key: string, change: TaskChange): Promise<TaskEntry> {
    return this.#locked(key, async () => {
      const entry = this.#require(key, change.uid);
      const next = change.decide(entry.status, this.#context(entry.task));
      if (!next) return entry;
      if (!change.durable) return this.#set(key, { ...entry, status: next }) ?? entry;
      return this.#write(entry, next, change.stage);
    });
  }

  /** Writes the drafts of a task, if there are any. */
  flush(key: string, stage: string): Promise<void> {
    return this.#locked(key, async () => {
      const entry = this.#entries.get(key);
      if (entry && hasDraft(entry)) await this.#write(entry, entry.status, stage);
    });
  }

  async #write(entry: TaskEntry, next: InferenceTaskStatus, stage: string): Promise<TaskEntry> {
    let base = entry;
    for (let attempt = 1; ; attempt++) {
      try {
        const written = await this.#patch(base.task, next, stage);
        const status = written.status ?? newStatus;
        return this.#set(entry.key, { ...base, task: written, status }) ?? base;
      } catch (error) {
        if (isNotFound(error)) this.#set(entry.key, undefined);
        if (!isConflict(error) || attempt > maxConflicts) throw error;
        base = await this.#reread(base);
      }
    }
  }

  async #patch(task: TaskObject, next: InferenceTaskStatus, stage: string): Promise<TaskObject> {
    const patch = computeMergePatch(task.status ?? {}, next);
    if (!patch) return task;
    const { namespace, name, resourceVersion } = task.metadata;
    const body = { metadata: { resourceVersion }, status: patch };
    const written = await this.#options.client.patch(
      { namespace, name },
      { kind: "merge", subresource: "status", body },
    );
    this.#options.metrics.statusWrites.inc({ stage });
    return compactTask(written);
  }

  /** Only spec and metadata may have changed: nobody else writes this status, and if somebody did, drafts are void. */
  async #reread(entry: TaskEntry): Promise<TaskEntry> {
    const { namespace, name } = entry.task.metadata;
    const fresh = compactTask(await this.#options.client.get({ namespace, name }));
    if (fresh.metadata.uid === entry.uid && isDeepStrictEqual(fresh.status ?? {}, entry.task.status ?? {})) {
      return { ...entry, task: fresh };
    }
    this.#set(entry.key, toEntry(entry.key, fresh));
    throw new InferiumError(
      "StatusConflict",
      `The status of ${entry.key} was changed by somebody else; it is taken as it is now. Only one operator may write it.`,
      { disposition: "retry" },
    );
  }

  #rebase({ key, object: task }: StoreEvent<TaskObject>, known: TaskEntry | undefined): TaskEntry {
    const fresh = toEntry(key, task);
    if (!known || known.uid !== fresh.uid || !hasDraft(known)) return fresh;
    const unchanged = isDeepStrictEqual(task.status ?? {}, known.task.status ?? {});
    return unchanged ? { ...fresh, status: known.status } : fresh;
  }

  #set(key: string, entry: TaskEntry | undefined): TaskEntry | undefined {
    const previous = this.#entries.get(key);
    if (entry) this.#entries.set(key, entry);
    else this.#entries.delete(key);
    if (previous) this.#options.metrics.tasks.dec({ phase: previous.status.phase });
    if (entry) this.#options.metrics.tasks.inc({ phase: entry.status.phase });
    for (const handler of this.#handlers) handler(key, entry, previous);
    return entry;
  }

  #require(key: string, uid: string): TaskEntry {
    const entry = this.#entries.get(key);
    if (entry?.uid === uid) return entry;
    throw new InferiumError("TaskGone", `The task ${key} (${uid}) was deleted.`);
  }

  #context(task: TaskObject): ChangeContext {
    return { generation: task.metadata.generation ?? 0, now: formatTime(this.#options.clock.now()) };
  }

  async #locked<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#locks.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#locks.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#locks.get(key) === turn) this.#locks.delete(key);
    }
  }
}

/** @param key the informer's own text, of which there is one for each task already */
function toEntry(key: string, task: TaskObject): TaskEntry {
  return { key, uid: task.metadata.uid ?? "", task, status: task.status ?? newStatus };
}

function hasDraft(entry: TaskEntry): boolean {
  return entry.status !== entry.task.status && !isDeepStrictEqual(entry.status, entry.task.status ?? newStatus);
}

/** Resource versions of one server can be compared as numbers; where one cannot, the server's word is taken. */
function isNewer(a: TaskObject, b: TaskObject): boolean {
  const left = Number(a.metadata.resourceVersion);
  const right = Number(b.metadata.resourceVersion);
  return Number.isNaN(left) || Number.isNaN(right) || left > right;
}
