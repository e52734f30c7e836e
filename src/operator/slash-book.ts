/**
 * Stage 8: slashes that are due. The evidence is written down before the task goes on to its next attempt, since after
 * that the task no longer holds the receipt. A slash stays on the books until the chain has it and the task says so.
 */
import type { SignedReceipt } from "../pool/wire.ts";
import type { ProvenVote } from "../protocol/verdict/evidence.ts";
import type { RecordStore } from "./record-store.ts";

export interface Slash {
  /** Unique per attempt: part of the task's id and the attempt. */
  readonly name: string;
  /** namespace/name of the task. */
  readonly key: string;
  readonly uid: string;
  readonly attempt: number;
  readonly worker: string;
  readonly receipt: SignedReceipt;
  readonly validationId: string;
  /** Of the validators, decimal. */
  readonly epoch: string;
  readonly rejections: readonly ProvenVote[];
  readonly state: "Pending" | "Done" | "Refused";
  readonly txHash?: string;
}

export class SlashBook {
  readonly #store: RecordStore;
  readonly #slashes = new Map<string, Slash>();

  constructor(store: RecordStore) {
    this.#store = store;
  }

  async load(): Promise<void> {
    for (const { name } of await this.#store.list()) {
      const slash = (await this.#store.load(name)) as Slash | undefined;
      if (slash) this.#slashes.set(slash.name, slash);
    }
  }

  get(name: string): Slash | undefined {
    return this.#slashes.get(name);
  }

  list(): Slash[] {
    return [...this.#slashes.values()];
  }

  /** Resolves once the slash would survive a crash; an attempt is put on the books once. */
  async add(slash: Slash): Promise<void> {
    if (this.#slashes.has(slash.name)) return;
    await this.save(slash);
  }

  async save(slash: Slash): Promise<void> {
    const { name, key, worker, attempt, state, txHash } = slash;
    const fields = { task: key, worker, attempt: String(attempt), state, ...(txHash ? { txHash } : {}) };
    await this.#store.save({ name, fields }, slash);
    this.#slashes.set(name, slash);
  }

  async remove(name: string): Promise<void> {
    await this.#store.remove({ name, fields: {} });
    this.#slashes.delete(name);
  }
}

/** @param taskId 0x-hex of 32 bytes */
export function nameSlash(taskId: string, attempt: number): string {
  return `${taskId.slice(2, 34)}-${attempt}`;
}
