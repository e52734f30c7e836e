/**
 * Every task as it stands, and the only place that writes task statuses. A change is either durable (written before it is
 * answered) or a draft: it holds at once in memory and goes out with the next durable change, or with `flush`. Drafts are
 * made only of what other durable objects already say, so that a restart makes them again. One patch per write, with the
 * resource version that it was decided on.
 */
import { isDeepStrictEqual } from "node:util";
import type { InferenceTaskStatus } from "../api/v1alpha1/generated/inferencetasks.ts";
import type { TaskPhase } from "../api/v1alpha1/types.ts";
import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import { isConflict, isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { parseObjectKey } from "../kube/object.ts";
import type { StoreEvent } from "../kube/store.ts";
import type { ChangeContext } from "../protocol/status-change.ts";
import { newStatus } from "../protocol/task-stage.ts";
import { type KeptTask, keepTask } from "./kept-task.ts";
import { formatTime, type TaskObject } from "./kinds.ts";
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
  readonly #entries = new Map<string, KeptTask>();
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
  observe({ type, key, object }: StoreEvent<KeptTask>): void {
    const known = this.#entries.get(key);
    if (type === "deleted") {
      if (known?.uid === object.uid) this.#set(key, undefined);
      return;
    }
    if (known?.uid === object.uid && !isNewer(object, known)) this.#share(known, object);
    else this.#set(key, rebase(object, known));
  }

  /** What was written came back: the informer keeps this object, and one of each is enough. */
  #share(known: KeptTask, fresh: KeptTask): void {
    if (fresh.resourceVersion !== known.resourceVersion || fresh === known) return;
    const isPlain = known.status === (known.written ?? newStatus);
    this.#entries.set(known.key, isPlain ? fresh : fresh.withStatus(known.status));
  }

  /** Resolves with what holds afterwards. @throws InferiumError TaskGone, StatusConflict; KubeApiError */
  change(key: string, change: TaskChange): Promise<TaskEntry> {
    return this.#locked(key, async () => {
      const entry = this.#require(key, change.uid);
      const next = change.decide(entry.status, this.#context(entry));
      if (!next) return entry;
      if (!change.durable) return this.#set(key, entry.withStatus(next)) ?? entry;
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

  async #write(entry: KeptTask, next: InferenceTaskStatus, stage: string): Promise<TaskEntry> {
    let base = entry;
    for (let attempt = 1; ; attempt++) {
      try {
        const written = await this.#patch(base, next, stage);
        return this.#set(entry.key, written.withStatus(written.written ?? newStatus)) ?? base;
      } catch (error) {
        if (isNotFound(error)) this.#set(entry.key, undefined);
        if (!isConflict(error) || attempt > maxConflicts) throw error;
        base = await this.#reread(base);
      }
    }
  }

  async #patch(entry: KeptTask, next: InferenceTaskStatus, stage: string): Promise<KeptTask> {
    const patch = computeMergePatch(entry.written ?? {}, next);
    if (!patch) return entry;
    const { key, resourceVersion } = entry;
    const body = { metadata: { resourceVersion }, status: patch };
    const written = await this.#options.client.patch(parseObjectKey(key), {
      kind: "merge",
      subresource: "status",
      body,
    });
    this.#options.metrics.statusWrites.inc({ stage });
    return keepTask(written, key);
  }

  /** Only spec and metadata may have changed: nobody else writes this status, and if somebody did, drafts are void. */
  async #reread(entry: KeptTask): Promise<KeptTask> {
    const { key, uid, written, status } = entry;
    const fresh = keepTask(await this.#options.client.get(parseObjectKey(key)), key);
    if (fresh.uid === uid && isDeepStrictEqual(fresh.written ?? {}, written ?? {})) return fresh.withStatus(status);
    this.#set(key, fresh);
    throw new InferiumError(
      "StatusConflict",
      `The status of ${key} was changed by somebody else; it is taken as it is now. Only one operator may write it.`,
      { disposition: "retry" },
    );
  }

  #set(key: string, entry: KeptTask | undefined): KeptTask | undefined {
    const previous = this.#entries.get(key);
    if (entry) this.#entries.set(key, entry);
    else this.#entries.delete(key);
    this.#count(previous?.status.phase, entry?.status.phase);
    for (const handler of this.#handlers) handler(key, entry, previous);
    return entry;
  }

  #count(before: TaskPhase | undefined, after: TaskPhase | undefined): void {
    if (before === after) return;
    if (before !== undefined) this.#options.metrics.tasks.dec({ phase: before });
    if (after !== undefined) this.#options.metrics.tasks.inc({ phase: after });
  }

  #require(key: string, uid: string): KeptTask {
    const entry = this.#entries.get(key);
    if (entry?.uid === uid) return entry;
    throw new InferiumError("TaskGone", `The task ${key} (${uid}) was deleted.`);
  }

  #context({ generation }: KeptTask): ChangeContext {
    return { generation, now: formatTime(this.#options.clock.now()) };
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

/** What the server says, with the drafts of what is known where they still hold. */
function rebase(fresh: KeptTask, known: KeptTask | undefined): KeptTask {
  if (!known || known.uid !== fresh.uid || !hasDraft(known)) return fresh;
  const isUnchanged = isDeepStrictEqual(fresh.written ?? {}, known.written ?? {});
  return isUnchanged ? fresh.withStatus(known.status) : fresh;
}

function hasDraft({ status, written }: KeptTask): boolean {
  return status !== written && !isDeepStrictEqual(status, written ?? newStatus);
}

/** Resource versions of one server can be compared as numbers; where one cannot, the server's word is taken. */
function isNewer(a: KeptTask, b: KeptTask): boolean {
  const left = Number(a.resourceVersion);
  const right = Number(b.resourceVersion);
  return Number.isNaN(left) || Number.isNaN(right) || left > right;
}
