/** Nobody spends what it has not deposited, or has taken or asked back. Pure. */
import { type Finding, finding } from "./finding.ts";
import type { ParsedBatch } from "./parse-batch.ts";

/** @param spendable by requester, from the chain: what each may ever have spent */
export function checkDeposits(batch: ParsedBatch, spendable: ReadonlyMap<string, bigint>): Finding | undefined {
  for (const requester of listPayers(batch)) {
    const spent = batch.spent.get(requester) ?? 0n;
    const limit = spendable.get(requester) ?? 0n;
    if (spent <= limit) continue;
    const message = `With this batch ${requester} has spent ${spent} wei; the chain holds ${limit} for it to spend.`;
    return finding("DepositExceeded", message);
  }
  return undefined;
}

/** Those whom this batch debits. */
export function listPayers({ tasks }: ParsedBatch): string[] {
  return [...new Set(tasks.filter((task) => task.rewardWei > 0n).map((task) => task.requester))];
}
