/** The outbox's entries in memory and in the store, which is written first. What is confirmed is forgotten after a while. */
import type { JournalEntry, JournalStore } from "./journal.ts";

const maxRemembered = 256;

export class JournalBook {
  readonly #store: JournalStore;
  readonly #entries: Map<string, JournalEntry>;

  private constructor(store: JournalStore, entries: readonly JournalEntry[]) {
    this.#store = store;
    this.#entries = new Map(entries.map((entry) => [entry.id, entry]));
  }

  /** @throws InferiumError JournalCorrupt */
  static async open(store: JournalStore): Promise<JournalBook> {
    return new JournalBook(store, await store.load());
  }

  get(id: string): JournalEntry | undefined {
    return this.#entries.get(id);
  }

  findOfOtherChain(chainId: number): JournalEntry | undefined {
    return [...this.#entries.values()].find((entry) => entry.chainId !== chainId);
  }

  /** Under way, by nonce. */
  signed(): JournalEntry[] {
    return [...this.#entries.values()].filter(({ status }) => status === "signed").sort((a, b) => a.nonce - b.nonce);
  }

  confirmed(): JournalEntry[] {
    return [...this.#entries.values()].filter(({ status }) => status === "confirmed");
  }

  /** Resolves once the entry would survive a crash. */
  async save(entry: JournalEntry): Promise<void> {
    await this.#store.save(entry);
    this.#entries.set(entry.id, entry);
  }

  /** What is confirmed is on the chain, where it can be found again: memory keeps only the latest. */
  forgetOldest(): void {
    const done = [...this.#entries.values()].filter(({ status }) => status !== "signed");
    for (const { id } of done.slice(0, -maxRemembered)) this.#entries.delete(id);
  }
}
