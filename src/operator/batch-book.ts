/**
 * Stage 7: batches from proposal to the chain, one at a time, each step durable before the next. A batch is persisted with
 * everything that it is made of before the first validator is asked to sign: for one sequence number and epoch there is
 * never a second header, whatever crashes. An epoch that ends before its batch is settled gives the number free again.
 *
 *   Proposed -> Certified -> Settled -> Applied        (Applied: every task's status says so)
 *
 * A reorganisation takes settled batches back to Certified, from where they go the same way with the same signatures.
 */
import type { BatchData } from "../pool/batch-evidence.ts";
import { LapsedBatches } from "./lapsed-batches.ts";
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

/** Newest applied batches that are kept for whoever wants to prove something, beside those that finality still needs. */
const keptBatches = 64;

interface Kept {
  readonly state: BatchState;
  readonly headerHash: string;
}

export class BatchBook {
  readonly #states: RecordStore;
  readonly #bodies: RecordStore;
  /** By sequence, ascending: the batches that are kept. */
  readonly #kept = new Map<number, Kept>();
  /** Header hashes of batches that must be kept; undefined until somebody has said. */
  #pinned: ReadonlySet<string> | undefined;
  readonly #lapsed: LapsedBatches | undefined;
  #last: BatchRecord | undefined;

  /** @param stores small records of where batches stand, what they are made of, and those whose number another took */
  constructor(stores: { readonly states: RecordStore; readonly bodies: RecordStore; readonly lapsed?: RecordStore }) {
    this.#states = stores.states;
    this.#bodies = stores.bodies;
    this.#lapsed = stores.lapsed && new LapsedBatches(stores.lapsed);
  }

  /** What was proposed before for this number under this epoch: a reorganisation may bring an epoch back. */
  async readLapsed(sequence: number, epoch: bigint): Promise<BatchRecord | undefined> {
    return this.#lapsed?.read(sequence, String(epoch));
  }

  /**
   * Batches that must be kept, however old they grow: what the newest final one credits can be claimed, and the candidate
   * becomes the final one a challenge window later, when hundreds may have come after it.
   */
  pin(headerHashes: readonly string[]): void {
    this.#pinned = new Set(headerHashes);
  }

  /** The newest batch. */
  get last(): BatchRecord | undefined {
    return this.#last;
  }

  /** Sequences from `first` on that are kept, ascending. */
  keptFrom(first: number): number[] {
    return [...this.#kept.keys()].filter((sequence) => sequence >= first);
  }

  /** Reads what a former process left. Call once. */
  async load(): Promise<void> {
    const heads = await this.#states.list();
    const kept = heads.map(({ fields }): [number, Kept] => [
      Number(fields.sequence),
      { state: fields.state as BatchState, headerHash: fields.headerHash ?? "" },
    ]);
    for (const [sequence, one] of kept.sort(([a], [b]) => a - b)) this.#kept.set(sequence, one);
    const newest = [...this.#kept.keys()].at(-1);
    if (newest !== undefined) this.#last = await this.read(newest);
  }

  /** The first batch that is not done with: the newest, or after a reorganisation an earlier one. */
  async readOpen(): Promise<BatchRecord | undefined> {
    const open = [...this.#kept].find(([, { state }]) => state !== "Applied")?.[0];
    return open === undefined || open === this.#last?.sequence ? this.#last : this.read(open);
  }

  /** Undefined for a batch that is no longer kept. */
  async read(sequence: number): Promise<BatchRecord | undefined> {
    const [state, body] = await Promise.all([this.#states.load(nameOf(sequence)), this.#bodies.load(nameOf(sequence))]);
    if (state === undefined || body === undefined) return undefined;
    const { headerHash, ...rest } = body as BodyJson;
    const revived = { ...reviveState(state as StateJson), body: rest };
    if (revived.headerHash === headerHash) return revived;
    // A crash came between the two writes of a proposal that took a lapsed one's place: nobody was asked to sign it yet.
    return { sequence, state: "Proposed", headerHash, body: rest, signatures: {} };
  }

  async propose(record: BatchRecord): Promise<void> {
    const name = nameOf(record.sequence);
    if (this.#last?.sequence === record.sequence) await this.#lapsed?.keep(this.#last);
    const body: BodyJson = { ...record.body, headerHash: record.headerHash };
    await this.#bodies.save({ name, fields: fieldsOf(record) }, body);
    await this.#saveState(record);
  }

  async advance(
    record: BatchRecord,
    change: Partial<Pick<BatchRecord, "state" | "signatures" | "outcome">>,
  ): Promise<BatchRecord> {
    const next = { ...record, ...change };
    await this.#saveState(next);
    if (next.state === "Applied") await this.#prune();
    return next;
  }

  /** The chain has it no more: it must be settled again. */
  async reopen({ outcome: _, ...record }: BatchRecord): Promise<void> {
    await this.#saveState({ ...record, state: "Certified" });
  }

  /** Forgets all batches after this one; others will take their numbers. */
  async dropAfter(sequence: number): Promise<void> {
    for (const dropped of this.keptFrom(sequence + 1).toReversed()) {
      const record = await this.read(dropped);
      if (record) await this.#lapsed?.keep(record);
      await this.#remove(dropped);
    }
    this.#last = sequence === 0 ? undefined : await this.read(sequence);
  }

  async #saveState(record: BatchRecord): Promise<void> {
    const { body: _, outcome, ...rest } = record;
    const state: StateJson = {
      ...rest,
      ...(outcome ? { outcome: { ...outcome, gasUsed: outcome.gasUsed.toString() } } : {}),
    };
    await this.#states.save({ name: nameOf(record.sequence), fields: fieldsOf(record) }, state);
    this.#kept.set(record.sequence, { state: record.state, headerHash: record.headerHash });
    if (record.sequence >= (this.#last?.sequence ?? 0)) this.#last = record;
  }

  /** Nothing is forgotten before it is known what finality needs: a claim without its batch's tree is no claim. */
  async #prune(): Promise<void> {
    const pinned = this.#pinned;
    if (pinned === undefined) return;
    for (const [sequence, { state, headerHash }] of [...this.#kept].slice(0, -keptBatches))
      if (state === "Applied" && !pinned.has(headerHash)) await this.#remove(sequence);
  }

  async #remove(sequence: number): Promise<void> {
    const name = nameOf(sequence);
    await this.#states.remove({ name, fields: {} });
    await this.#bodies.remove({ name, fields: { parts: "64" } });
    this.#kept.delete(sequence);
  }
}

interface BodyJson extends BatchBody {
  readonly headerHash: string;
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
