/**
 * Every leaderboard as it stands, and the keys of the tasks that belong to it. Follows the informer, our own writes and the ledger, so
 * that a run that was begun a moment ago is never begun again.
 */
import { objectKey } from "../../kube/object.ts";
import type { StoreEvent } from "../../kube/store.ts";
import type { LeaderboardObject, TaskObject } from "../kinds.ts";
import type { TaskEntry, TaskLedger } from "../ledger.ts";

export class LeaderboardIndex {
  readonly #leaderboards = new Map<string, LeaderboardObject>();
  /** Keys of tasks by UID of the leaderboard. */
  readonly #tasks = new Map<string, Set<string>>();
  readonly #handlers: ((key: string) => void)[] = [];
  readonly #ledger: TaskLedger;

  constructor(ledger: TaskLedger) {
    this.#ledger = ledger;
    ledger.onChange((key, entry, previous) => this.#observeTask(key, entry, previous));
  }

  get(key: string): LeaderboardObject | undefined {
    return this.#leaderboards.get(key);
  }

  get size(): number {
    return this.#leaderboards.size;
  }

  /** Of all runs. */
  tasksOf({ metadata }: LeaderboardObject): TaskEntry[] {
    return [...(this.#tasks.get(metadata.uid ?? "") ?? [])].flatMap((key) => this.#ledger.get(key) ?? []);
  }

  /** Called with the key of a leaderboard that has changed, or one of whose tasks has. */
  onChange(handler: (key: string) => void): void {
    this.#handlers.push(handler);
  }

  observe(event: StoreEvent<LeaderboardObject>): void {
    const { uid } = event.object.metadata;
    if (event.type !== "deleted") this.put(event.object);
    else if (this.#leaderboards.get(event.key)?.metadata.uid === uid) this.#leaderboards.delete(event.key);
  }

  /** Takes an object of the server, unless a newer one is known. */
  put(leaderboard: LeaderboardObject): void {
    const key = objectKey(leaderboard);
    const known = this.#leaderboards.get(key)?.metadata;
    const isSame = known?.uid === leaderboard.metadata.uid;
    if (isSame && Number(known?.resourceVersion) >= Number(leaderboard.metadata.resourceVersion)) return;
    this.#leaderboards.set(key, leaderboard);
    this.#tell(key);
  }

  #observeTask(key: string, entry: TaskEntry | undefined, previous: TaskEntry | undefined): void {
    const owner = ownerOf((entry ?? previous)?.task);
    if (owner === undefined) return;
    const keys = this.#tasks.get(owner.uid) ?? new Set();
    if (entry) this.#tasks.set(owner.uid, keys.add(key));
    else if (keys.delete(key) && keys.size === 0) this.#tasks.delete(owner.uid);
    const namespace = (entry ?? previous)?.task.metadata.namespace ?? "";
    if (entry?.status !== previous?.status) this.#tell(`${namespace}/${owner.name}`);
  }

  #tell(key: string): void {
    for (const handler of this.#handlers) handler(key);
  }
}

/** The leaderboard that a task belongs to. */
export function ownerOf(task: TaskObject | undefined): { readonly uid: string; readonly name: string } | undefined {
  return task?.metadata.ownerReferences?.find(({ kind, controller }) => kind === "Leaderboard" && controller === true);
}
