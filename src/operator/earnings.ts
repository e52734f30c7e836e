/** What the chain credited to, paid to and took from each member. Credits come from batches, slashes from events. */
import type { WorkerNodeStatus } from "../api/v1alpha1/generated/workernodes.ts";
import type { ChainEvent } from "../chain/chain-event.ts";
import { checksumAddress } from "../protocol/checksum-address.ts";
import type { BatchBook } from "./batch-book.ts";
import type { BondBook } from "./bond-book.ts";
import type { FinalBatch } from "./final-batch.ts";
import type { WorkerObject } from "./kinds.ts";

interface EarningsBooks {
  readonly batches: BatchBook;
  readonly bonds: BondBook;
  readonly final: FinalBatch;
}

export class Earnings {
  readonly #batches: BatchBook;
  readonly #bonds: BondBook;
  readonly #final: FinalBatch;
  readonly #slashedWei = new Map<string, bigint>();
  readonly #seen = new Set<string>();

  constructor({ batches, bonds, final }: EarningsBooks) {
    this.#batches = batches;
    this.#bonds = bonds;
    this.#final = final;
  }

  /** Events may come more than once. */
  observe(event: ChainEvent): void {
    if (event.kind !== "Slashed" || this.#seen.has(event.id)) return;
    this.#seen.add(event.id);
    const address = checksumAddress(event.node);
    this.#slashedWei.set(address, (this.#slashedWei.get(address) ?? 0n) + event.amountWei);
  }

  of(worker: WorkerObject): NonNullable<WorkerNodeStatus["earnings"]> {
    const address = checksumAddress(worker.spec.address);
    const bond = this.#bonds.of(address);
    const known = worker.status?.earnings;
    if (!bond) return known ?? {};
    const { state, body } = this.#batches.last ?? {};
    const isSettled = state === "Settled" || state === "Applied";
    const balances = (isSettled ? body?.data.balances : body?.data.previousBalances) ?? {};
    return {
      creditedWei: balances[bond.record.payout] ?? "0",
      finalWei: this.#final.record?.body.data.balances[bond.record.payout] ?? "0",
      paidWei: bond.claimedWei.toString(),
      slashedWei: (this.#slashedWei.get(address) ?? BigInt(known?.slashedWei ?? "0")).toString(),
    };
  }
}
