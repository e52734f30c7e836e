/**
 * Finds a task by its id on the chain, which is a hash of its UID. Ids are computed once for each task that has a receipt, when
 * somebody first asks; nobody else pays for them.
 */
import { computeTaskId } from "../protocol/typed-data.ts";
import type { TaskEntry, TaskLedger } from "./ledger.ts";

export class TaskFinder {
  readonly #ledger: TaskLedger;
  readonly #idByUid = new Map<string, string>();
  readonly #keyById = new Map<string, string>();

  constructor(ledger: TaskLedger) {
    this.#ledger = ledger;
    ledger.onChange((_, entry, previous) => {
      if (previous && previous.uid !== entry?.uid) this.#forget(previous.uid);
    });
  }

  find(taskId: string): TaskEntry | undefined {
    const known = this.#ledger.get(this.#keyById.get(taskId) ?? "");
    if (known) return known;
    for (const entry of this.#ledger.entries()) {
      if (entry.status.receipt === undefined || this.#idByUid.has(entry.uid)) continue;
      const id = computeTaskId(entry.uid);
      this.#idByUid.set(entry.uid, id);
      this.#keyById.set(id, entry.key);
    }
    return this.#ledger.get(this.#keyById.get(taskId) ?? "");
  }

  #forget(uid: string): void {
    this.#keyById.delete(this.#idByUid.get(uid) ?? "");
    this.#idByUid.delete(uid);
  }
}
