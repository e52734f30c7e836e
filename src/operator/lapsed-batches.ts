/**
 * Batches whose number another one took, because their epoch ended. Validators that signed one sign no other for that number
 * and epoch, ever: so where a reorganisation brings the epoch back, this and nothing else can be settled under it.
 */
import type { BatchRecord } from "./batch-book.ts";
import type { RecordStore } from "./record-store.ts";

const kept = 64;

export class LapsedBatches {
  readonly #store: RecordStore;

  constructor(store: RecordStore) {
    this.#store = store;
  }

  async keep({ outcome: _, ...record }: BatchRecord): Promise<void> {
    const { epoch } = record.body.data.header;
    const name = nameOf(record.sequence, epoch);
    await this.#store.save({ name, fields: { sequence: String(record.sequence), epoch } }, record);
    const names = (await this.#store.list()).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const oldest of names.slice(0, -kept)) await this.#store.remove(oldest);
  }

  async read(sequence: number, epoch: string): Promise<BatchRecord | undefined> {
    return (await this.#store.load(nameOf(sequence, epoch))) as BatchRecord | undefined;
  }
}

/** Sorts by sequence. */
function nameOf(sequence: number, epoch: string): string {
  return `${String(sequence).padStart(12, "0")}-${epoch}`;
}
