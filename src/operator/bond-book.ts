/**
 * What the chain says of every member: bond, payout and what it was paid. Read again every few seconds, of a large pool so many
 * in turn, and after whatever changes it; in between, and while the chain is away, the last answer holds.
 */

import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { NodeRecord } from "../chain/node-reader.ts";
import { checksumAddress } from "../protocol/checksum-address.ts";
import { type ChainLink, isChainAway } from "./chain-link.ts";

export interface Bond {
  readonly record: NodeRecord;
  readonly claimedWei: bigint;
}

export interface BondBookOptions {
  readonly link: ChainLink;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly refreshMs: number;
  /** Addresses of all members. */
  readonly list: () => readonly string[];
  readonly onChange: (address: string) => void;
}

/** Members in one round. Each costs three calls, of which an endpoint is asked a hundred at once. */
const mostAtOnce = 256;

export class BondBook {
  readonly #options: BondBookOptions;
  readonly #bonds = new Map<string, Bond>();
  /** Where in the list the next round goes on. */
  #turn = 0;
  #validators: { epoch: bigint; members: readonly string[] } | undefined;

  constructor(options: BondBookOptions) {
    this.#options = options;
  }

  /** Undefined where the chain has not been asked yet. */
  of(address: string): Bond | undefined {
    return this.#bonds.get(checksumAddress(address));
  }

  /** The current epoch and its members, checksummed; undefined before the first answer. */
  get validatorSet(): { readonly epoch: bigint; readonly members: readonly string[] } | undefined {
    return this.#validators;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.refresh().catch((error: unknown) => this.#note(error));
      await this.#options.clock.sleep(this.#options.refreshMs, signal).catch(() => undefined);
    }
  }

  /** @throws InferiumError where the chain is away */
  async refresh(addresses: readonly string[] = this.#nextRound()): Promise<void> {
    const { client } = this.#options.link;
    const epoch = await client.epoch();
    if (this.#validators?.epoch !== epoch) this.#validators = { epoch, members: await client.validators(epoch) };
    await this.#read(addresses.map((address) => checksumAddress(address)));
    this.#options.link.note(undefined);
  }

  /** Who was never read, then the others in turn. */
  #nextRound(): string[] {
    const all = this.#options.list();
    const round = new Set(all.filter((address) => !this.of(address)).slice(0, mostAtOnce));
    for (let seen = 0; seen < all.length && round.size < mostAtOnce; seen++) {
      const next = all[this.#turn++ % all.length];
      if (next !== undefined) round.add(next);
    }
    return [...round];
  }

  async #read(addresses: readonly string[]): Promise<void> {
    const { client } = this.#options.link;
    const records = await client.nodes(addresses);
    const paid = records.map(({ payout }, index) => (payout === zeroAddress ? (addresses[index] ?? "") : payout));
    const claimed = await client.claimedOf(paid);
    for (const [index, record] of records.entries())
      this.#keep(addresses[index] ?? "", { record, claimedWei: claimed[index] ?? 0n });
  }

  #keep(address: string, bond: Bond): void {
    const known = this.#bonds.get(address);
    this.#bonds.set(address, bond);
    if (known && isSame(known, bond)) return;
    this.#options.onChange(address);
  }

  #note(error: unknown): void {
    if (isChainAway(error)) this.#options.link.note(error);
    else this.#options.logger.error("reading bonds failed", { error: describeError(error) });
  }
}

const zeroAddress = `0x${"0".repeat(40)}`;

function isSame(a: Bond, b: Bond): boolean {
  const { record: left } = a;
  const { record: right } = b;
  return (
    a.claimedWei === b.claimedWei &&
    left.state === right.state &&
    left.stakeWei === right.stakeWei &&
    left.role === right.role
  );
}
