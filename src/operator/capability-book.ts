/**
 * What came of the last challenge of each worker, as records that outlive the process: the WorkerNode's status shows it, and
 * is not believed, since an agent may write there too.
 */
import type { ChallengeOutcome } from "../protocol/proven-capability.ts";
import type { RecordStore } from "./record-store.ts";

export interface CapabilityRecord {
  /** Lower-case address: the identity, whatever the WorkerNode is called. */
  readonly address: string;
  readonly outcome: ChallengeOutcome;
  /** Digest of the GPUs that it was about: of others it says nothing. */
  readonly hardware: string;
  readonly claim: string;
  /** How many GPUs it was about. */
  readonly gpus: number;
  readonly atMs: number;
  readonly expiresAtMs: number;
  /** When it is to be challenged again. */
  readonly nextAtMs: number;
  /** Failures in a row. */
  readonly failures: number;
  readonly elapsedMs: number;
  readonly limitMs: number;
  /** 10^12 operations per second; 0 where it failed. */
  readonly score: number;
  readonly heldMiB: number;
  readonly provider: string;
  /** Devices that evidence speaks of, by digest of their certificates; those of one that is attested are its alone. */
  readonly devices: readonly string[];
  readonly attested: boolean;
  readonly validators: readonly string[];
  readonly message: string;
}

export class CapabilityBook {
  readonly #store: RecordStore;
  readonly #records = new Map<string, CapabilityRecord>();

  constructor(store: RecordStore) {
    this.#store = store;
  }

  /** All of a record stands in its fields, so that one list reads the records of thousands of workers. */
  async load(): Promise<void> {
    for (const { name, fields } of await this.#store.list()) {
      this.#records.set(name, JSON.parse(fields.record ?? "{}") as CapabilityRecord);
    }
  }

  list(): CapabilityRecord[] {
    return [...this.#records.values()];
  }

  of(address: string): CapabilityRecord | undefined {
    return this.#records.get(nameOf(address));
  }

  /** Counts at once; resolves when it would survive a crash. */
  async save(record: CapabilityRecord): Promise<void> {
    const name = nameOf(record.address);
    this.#records.set(name, record);
    await this.#store.save({ name, fields: { outcome: record.outcome, record: JSON.stringify(record) } }, {});
  }
}

function nameOf(address: string): string {
  return address.toLowerCase().slice(2);
}
