/**
 * Stage 7: batches from proposal to the chain, one at a time, each step durable before the next. A batch is persisted with
 * everything that it is made of before the first validator is asked to sign: for one sequence number and epoch there is
 * never a second header, whatever crashes. An epoch that ends before its batch is settled gives the number free again.
 *
 *   Proposed -> Certified -> Settled -> Applied        (Applied: every task's status says so)
 */
import type { BatchData } from "../pool/wire.ts";
import type { RecordStore } from "./record-store.ts";

export type BatchState = "Proposed" | "Certified" | "Settled" | "Applied";

/** The task behind the leaf of the same index. */
export interface BatchMember {
  /** namespace/name */
  readonly key: string;
  readonly uid: string;
}

/** Decimal wei by name: cumulative over all batches up to this one. */
export type Totals = Readonly<Record<string, string>>;

export interface BatchBody {
  readonly data: BatchData;
  readonly members: readonly BatchMember[];
  readonly spentByBudget: Totals;
}

export interface BatchOutcome {
  readonly txHash: string;
  readonly blockNumber: number;
  readonly gasUsed: bigint;
}

export interface BatchRecord {
  readonly sequence: number;
  readonly state: BatchState;
  readonly headerHash: string;
  readonly body: BatchBody;
  /** Of the certificate, by checksummed signer; empty until Certified. */
  readonly signatures: Readonly<Record<string, string>>;
  readonly outcome?: BatchOutcome;
}

/** Applied batches whose leaves are kept for whoever wants to prove something. */
const keptBatches = 64;

export class BatchBook {
  readonly #states: RecordStore;
  readonly #bodies: RecordStore;
  #last: BatchRecord | undefined;
  #kept: number[] = [];

  /** @param stores small records of where batches stand, and what they are made of */
  constructor(stores: { readonly states: RecordStore; readonly bodies: RecordStore }) {
    this.#states = stores.states;
    this.#bodies = stores.bodies;
  }

  /** The newest batch. */
  get last(): BatchRecord | undefined {
    return this.#last;
  }

  /** Reads what a former process left. Call once. */
  async load(): Promise<void> {
    const heads = await this.#states.list();
    this.#kept = heads.map((head) => Number(head.fields.sequence)).sort((a, b) => a - b);
    const newest = this.#kept.at(-1);
    if (newest === undefined) return;
    this.#last = await this.read(newest);
  }

  /** Undefined for a batch that is no longer kept. */
  async read(sequence: number): Promise<BatchRecord | undefined> {
    const [state, body] = await Promise.all([this.#states.load(nameOf(sequence)), this.#bodies.load(nameOf(sequence))]);
    if (state === undefined || body === undefined) return undefined;
    return { ...reviveState(state as StateJson), body: body as BatchBody };
  }

  async propose(record: BatchRecord): Promise<void> {
    const name = nameOf(record.sequence);
    await this.#bodies.save({ name, fields: fieldsOf(record) }, record.body);
    await this.#saveState(record);
    if (this.#kept.at(-1) !== record.sequence) this.#kept.push(record.sequence);
    this.#last = record;
  }

  async advance(change: Partial<Pick<BatchRecord, "state" | "signatures" | "outcome">>): Promise<BatchRecord> {
    if (!this.#last) throw new Error("no batch to advance");
    const next = { ...this.#last, ...change };
    await this.#saveState(next);
    this.#last = next;
    if (next.state === "Applied") await this.#prune();
    return next;
  }

  async #saveState(record: BatchRecord): Promise<void> {
    const { body: _, outcome, ...rest } = record;
    const state: StateJson = {
      ...rest,
      ...(outcome ? { outcome: { ...outcome, gasUsed: outcome.gasUsed.toString() } } : {}),
    };
    await this.#states.save({ name: nameOf(record.sequence), fields: fieldsOf(record) }, state);
  }

  async #prune(): Promise<void> {
    while (this.#kept.length > keptBatches) {
      const name = nameOf(this.#kept[0] ?? 0);
      await this.#bodies.remove({ name, fields: { parts: "64" } });
      await this.#states.remove({ name, fields: {} });
      this.#kept.shift();
    }
  }
}

interface StateJson extends Omit<BatchRecord, "body" | "outcome"> {
  readonly outcome?: { readonly txHash: string; readonly blockNumber: number; readonly gasUsed: string };
}

function reviveState({ outcome, ...state }: StateJson): Omit<BatchRecord, "body"> {
  return outcome ? { ...state, outcome: { ...outcome, gasUsed: BigInt(outcome.gasUsed) } } : state;
}

/** Sorts by name as by number. */
function nameOf(sequence: number): string {
  return String(sequence).padStart(12, "0");
}

function fieldsOf({ sequence, state, headerHash, body, outcome }: BatchRecord): Record<string, string> {
  return {
    sequence: String(sequence),
    state,
    headerHash,
    header: JSON.stringify(body.data.header),
    ...(outcome
      ? { txHash: outcome.txHash, block: String(outcome.blockNumber), gasUsed: String(outcome.gasUsed) }
      : {}),
  };
}
