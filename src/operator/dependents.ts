/** Which waiting tasks depend on which others: who must be looked at again when one is over. */
import { stageOf } from "../protocol/task-stage.ts";
import type { TaskEntry } from "./ledger.ts";

export class Dependents {
  /** Keys of the tasks that wait, by the key of what they wait for. */
  readonly #waiting = new Map<string, Set<string>>();

  observe(key: string, entry: TaskEntry | undefined, previous: TaskEntry | undefined): void {
    const task = (entry ?? previous)?.task;
    const waits = entry !== undefined && stageOf(entry.status) === "Wait";
    for (const name of task?.spec.dependsOn ?? []) {
      const on = `${task?.metadata.namespace}/${name}`;
      if (waits) this.#waiting.set(on, (this.#waiting.get(on) ?? new Set()).add(key));
      else this.#remove(on, key);
    }
  }

  of(key: string): string[] {
    return [...(this.#waiting.get(key) ?? [])];
  }

  #remove(on: string, key: string): void {
    const keys = this.#waiting.get(on);
    keys?.delete(key);
    if (keys?.size === 0) this.#waiting.delete(on);
  }
}
