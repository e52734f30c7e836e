/**
 * Records of one kind that outlive the process, all of them in memory as well: slashes that are due, missed deadlines, bad
 * proofs. Whoever writes one down knows it safe once `save` resolves.
 */
import type { RecordStore } from "./record-store.ts";

export interface RecordBookOptions<T> {
  readonly store: RecordStore;
  /** The same for the same matter, so that it is on the books once. */
  readonly nameOf: (record: T) => string;
  /** What of it stands in plain sight; undefined is left out. */
  readonly fieldsOf: (record: T) => Readonly<Record<string, string | undefined>>;
}

export class RecordBook<T> {
  readonly #options: RecordBookOptions<T>;
  readonly #records = new Map<string, T>();
  /** Those that the store has, by name. */
  readonly #written = new Set<string>();

  constructor(options: RecordBookOptions<T>) {
    this.#options = options;
  }

  /** Reads what a former process left. Call once. */
  async load(): Promise<void> {
    for (const { name } of await this.#options.store.list()) {
      const record = (await this.#options.store.load(name)) as T | undefined;
      if (record === undefined) continue;
      this.#records.set(name, record);
      this.#written.add(name);
    }
  }

  get(name: string): T | undefined {
    return this.#records.get(name);
  }

  list(): T[] {
    return [...this.#records.values()];
  }

  names(): string[] {
    return [...this.#records.keys()];
  }

  /** In memory alone: a crash may forget it. */
  hold(record: T): void {
    this.#records.set(this.#options.nameOf(record), record);
  }

  /** Undoes `hold`. */
  release(name: string): void {
    if (!this.#written.has(name)) this.#records.delete(name);
  }

  /** Resolves with its name once it would survive a crash; one that is on the books stays as it is. */
  async add(record: T): Promise<string> {
    const name = this.#options.nameOf(record);
    if (!this.#records.has(name)) await this.save(record);
    return name;
  }

  /** Resolves once it would survive a crash. */
  async save(record: T): Promise<void> {
    const { store, nameOf, fieldsOf } = this.#options;
    const name = nameOf(record);
    const fields = Object.entries(fieldsOf(record)).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    await store.save({ name, fields: Object.fromEntries(fields) }, record);
    this.#written.add(name);
    this.#records.set(name, record);
  }

  async remove(name: string): Promise<void> {
    if (this.#written.has(name)) await this.#options.store.remove({ name, fields: {} });
    this.#written.delete(name);
    this.#records.delete(name);
  }
}
