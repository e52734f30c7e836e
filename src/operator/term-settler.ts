/** The settler of one term: opened at the first use, when the chain is there, and then for the whole term, since it owns its account's nonce. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { openSigner } from "../chain/open-signer.ts";
import { openSettler, type Settler } from "../chain/settler.ts";
import type { ChainLink } from "./chain-link.ts";
import type { OperatorConfig } from "./config.ts";
import type { RecordStore } from "./record-store.ts";
import { createTransactionJournal } from "./transaction-journal.ts";

export interface TermSettlerOptions {
  readonly link: ChainLink;
  readonly config: Pick<OperatorConfig, "chain">;
  readonly transactions: RecordStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted with the term. */
  readonly signal: AbortSignal;
}

/** Long enough for several raised fees. */
const settleTimeoutMs = 180_000;

/** What fails to open is tried again at the next use. */
export function createTermSettler(options: TermSettlerOptions): () => Promise<Settler> {
  let opened: Promise<Settler> | undefined;
  return () => {
    opened ??= open(options);
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };
}

async function open({ link, config, transactions, clock, logger, signal }: TermSettlerOptions): Promise<Settler> {
  const { confirmations, fromBlock, maxFeePerGasWei } = config.chain;
  const settler = await openSettler({
    client: link.client,
    signer: await openSigner(config.chain.signer, link.client.provider),
    store: createTransactionJournal(transactions),
    ...{ confirmations, fromBlock, maxFeePerGasWei, timeoutMs: settleTimeoutMs },
    ...{ clock, logger, signal },
  });
  await settler.resume();
  return settler;
}
