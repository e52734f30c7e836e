/**
 * Disputes that the chain has told of, by the task that they are about. Filled from the chain's events, which are read from the
 * beginning in every term: nothing of it is kept.
 */
import type { ChainEvent } from "../chain/chain-event.ts";

export interface KnownDispute {
  readonly id: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly challenger: string;
}

export class DisputeBook {
  readonly #byId = new Map<string, KnownDispute>();
  readonly #byTask = new Map<string, KnownDispute[]>();

  /** The id of the task that the event is about, where it is one of a dispute. Events may come more than once. */
  observe(event: ChainEvent): string | undefined {
    if (event.kind === "Opened") this.#add(event);
    return "dispute" in event ? this.#byId.get(event.dispute)?.taskId : undefined;
  }

  /** In the order of opening. */
  of(taskId: string): readonly KnownDispute[] {
    return this.#byTask.get(taskId) ?? [];
  }

  #add({ dispute: id, taskId, attempt, challenger }: Extract<ChainEvent, { kind: "Opened" }>): void {
    if (this.#byId.has(id)) return;
    const known = { id, taskId, attempt, challenger };
    this.#byId.set(id, known);
    this.#byTask.set(taskId, [...this.of(taskId), known]);
  }
}
