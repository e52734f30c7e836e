/**
 * The pool's duty when a requester asks its deposit back: the escrow pays back what is not proven to be spent, so everything
 * that final batches have debited is proven before the wait is over, and again while later batches become final, until the
 * requester has taken its money or let it be. Nobody else may do it, and everybody who worked for it would be the loser.
 */
import { getAddress } from "ethers";
import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ChainEvent } from "../../chain/chain-event.ts";
import type { Settler } from "../../chain/settler.ts";
import { readAmounts, readHeader } from "../../pool/batch-data.ts";
import { buildBalanceTree } from "../../protocol/merkle.ts";
import type { BatchRecord } from "../batch-book.ts";
import { type ChainLink, isChainAway } from "../chain-link.ts";
import type { FinalBatch } from "../final-batch.ts";

export interface SpentDutyOptions {
  readonly link: ChainLink;
  readonly final: FinalBatch;
  readonly settler: () => Promise<Settler>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pollMs: number;
  /** Another batch is the final one. */
  readonly onFinal: () => void;
}

const retry = { initialMs: 500, maxMs: 15_000 };

export class SpentDuty {
  readonly #options: SpentDutyOptions;
  /** Requesters that have asked for something back and not been paid yet. */
  readonly #leaving = new Set<string>();

  constructor(options: SpentDutyOptions) {
    this.#options = options;
  }

  /** Events are told again from the first block after each start, so that no request is forgotten. */
  observe(event: ChainEvent): void {
    if (event.kind === "WithdrawalRequested") this.#leaving.add(getAddress(event.requester));
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, link, logger, pollMs } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#step();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        if (isChainAway(error)) link.note(error);
        else
          logger.warn("what requesters have spent could not be proven, trying again", { error: describeError(error) });
      }
      const restMs = failures === 0 ? pollMs : computeBackoffMs(failures, retry);
      await clock.sleep(restMs, signal).catch(() => undefined);
    }
  }

  async #step(): Promise<void> {
    const { final, link, onFinal } = this.#options;
    if (await final.refresh()) onFinal();
    for (const requester of this.#leaving) {
      const { amountWei } = await link.client.withdrawal(requester);
      if (amountWei === 0n) this.#leaving.delete(requester);
      else if (final.record) await this.#prove(requester, final.record);
    }
  }

  async #prove(requester: string, record: BatchRecord): Promise<void> {
    const { link, logger, settler } = this.#options;
    const { data } = record.body;
    const spent = readAmounts(data.spent);
    const spentWei = spent.get(requester) ?? 0n;
    if (spentWei <= (await link.client.provenSpent(requester))) return;
    const balances = readAmounts(data.balances);
    const index = balances.size + [...spent.keys()].indexOf(requester);
    const proof = buildBalanceTree(balances, spent).proof(index);
    const { txHash } = await (await settler()).proveSpent(readHeader(data.header), { requester, spentWei, proof });
    logger.info("spending of a leaving requester is proven", { requester, spentWei, batch: record.sequence, txHash });
  }
}
