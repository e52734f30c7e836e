/** Whether an account could pay for a dispute now, and a word in the log when that changes. Effects: reads of the chain. */
import type { Logger } from "../../base/log.ts";
import type { DisputeReader } from "../../chain/dispute-reader.ts";

export interface BondCheckOptions {
  readonly reader: Pick<DisputeReader, "parameters">;
  readonly account: string;
  readonly readBalance: (account: string) => Promise<bigint>;
  readonly logger: Logger;
}

/** @throws InferiumError of the chain's endpoint */
export function createBondCheck({ reader, account, readBalance, logger }: BondCheckOptions): () => Promise<boolean> {
  let wasPoor = false;
  return async () => {
    const { bondWei } = await reader.parameters();
    const isPoor = (await readBalance(account)) < bondWei;
    if (isPoor && !wasPoor)
      logger.warn("settled results are not watched: the account does not hold the bond of a dispute", {
        account,
        bondWei,
      });
    wasPoor = isPoor;
    return !isPoor;
  };
}
