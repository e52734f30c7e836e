/**
 * Stage 8: claims whose deadline passed without an answer. Suspected: the worker may still turn out to be excused, so a crash
 * may forget it. Due: it goes into the next batch, whose quorum says so to the chain. InBatch: the batch is settled, and the
 * registry can be told. What the task and the chain know is dropped.
 */
import type { SignedClaim } from "../pool/work-assignment.ts";
import { RecordBook } from "./record-book.ts";
import type { RecordStore } from "./record-store.ts";
import { nameSlash } from "./slash-book.ts";

export type MissedState = "Suspected" | "Due" | "InBatch" | "Done" | "Refused";

export interface Missed {
  readonly name: string;
  /** namespace/name of the task. */
  readonly key: string;
  readonly uid: string;
  /** Name of the WorkerNode. */
  readonly worker: string;
  readonly claimedAtMs: number;
  readonly claim: SignedClaim;
  readonly state: MissedState;
  /** Sequence of the batch that says so. */
  readonly batch?: number;
  readonly txHash?: string;
}

/** Suspicions kept at once; more in so short a time are the pool's own trouble. */
const maxSuspected = 1_024;

export class MissedBook extends RecordBook<Missed> {
  constructor(store: RecordStore) {
    super({
      store,
      nameOf: ({ name }) => name,
      fieldsOf: ({ key, worker, state, batch, txHash }) => ({
        ...{ task: key, worker, state, txHash },
        batch: batch === undefined ? undefined : String(batch),
      }),
    });
  }

  /** Whose batch is still to be made, the oldest first. */
  listDue(count: number): Missed[] {
    return this.list()
      .filter(({ state }) => state === "Due")
      .slice(0, count);
  }

  /** @returns the name, undefined where it is on the books already or they are full */
  suspect(missed: Omit<Missed, "name" | "state">): string | undefined {
    const name = nameMissed(missed.claim);
    if (this.get(name) !== undefined) return undefined;
    if (this.list().filter(({ state }) => state === "Suspected").length >= maxSuspected) return undefined;
    this.hold({ ...missed, name, state: "Suspected" });
    return name;
  }

  /** The worker answered after all, if late. */
  acquit(taskId: string, attempt: number, worker: string): void {
    const name = nameSlash(taskId, attempt);
    const missed = this.get(name);
    if (missed?.state === "Suspected" && missed.claim.message.worker === worker) this.release(name);
  }
}

export function nameMissed({ message }: SignedClaim): string {
  return nameSlash(message.taskId, message.attempt);
}
