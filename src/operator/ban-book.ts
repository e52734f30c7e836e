/**
 * GPUs of workers that the registry banned, by UUID: hardware that cheated gets no second chance under another key. Kept as
 * records, since the banned WorkerNode may be deleted long before somebody tries again.
 */
import { uuidsOf } from "./directory.ts";
import type { WorkerObject } from "./kinds.ts";
import type { RecordStore } from "./record-store.ts";

export class BanBook {
  readonly #store: RecordStore;
  /** Address of the banned worker by UUID of its GPU. */
  readonly #bannedBy = new Map<string, string>();

  constructor(store: RecordStore) {
    this.#store = store;
  }

  async load(): Promise<void> {
    for (const { fields } of await this.#store.list()) this.#note(fields.address ?? "", (fields.gpus ?? "").split(","));
  }

  /** Resolves once the ban would survive a crash. */
  async ban(worker: WorkerObject): Promise<void> {
    const address = worker.spec.address.toLowerCase();
    const gpus = uuidsOf(worker).filter((uuid) => !this.#bannedBy.has(uuid));
    if (gpus.length === 0) return;
    this.#note(address, gpus);
    const all = [...this.#bannedBy].filter(([, by]) => by === address).map(([uuid]) => uuid);
    await this.#store.save({ name: address.slice(2), fields: { address, gpus: all.join(",") } }, { gpus: all });
  }

  /** Whether the worker has a GPU of one that is banned. */
  isBanned(worker: WorkerObject): boolean {
    return uuidsOf(worker).some((uuid) => this.#bannedBy.has(uuid));
  }

  #note(address: string, gpus: readonly string[]): void {
    for (const uuid of gpus) if (uuid !== "") this.#bannedBy.set(uuid, address);
  }
}
