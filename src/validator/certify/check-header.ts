/** The heart of certification: the header must be what we arrive at ourselves from the same tasks and balances. Pure. */
import { describeError } from "../../base/errors.ts";
import { listValidators, readAgent } from "../../pool/batch-data.ts";
import { hashStatement, toStatement } from "../../protocol/proof.ts";
import { type Batch, computeBatch } from "../../protocol/settlement.ts";
import { sameAmounts } from "./check-previous.ts";
import { type Finding, finding } from "./finding.ts";
import type { ParsedBatch } from "./parse-batch.ts";

/** Clocks differ by seconds; a header from further ahead was not made now. */
const maxAheadMs = 300_000n;

export function checkHeader(batch: ParsedBatch, nowMs: number): Finding | undefined {
  const computed = recompute(batch);
  if ("code" in computed) return computed;
  for (const field of ["taskRoot", "balanceRoot", "taskCount", "settledWei"] as const) {
    if (computed.header[field] === batch.header[field]) continue;
    const message = `The header's ${field} is ${batch.header[field]}; computed is ${computed.header[field]}.`;
    return finding("HeaderMismatch", message);
  }
  if (!sameAmounts(computed.balances, batch.balances)) {
    return finding("BalancesMismatch", "The balances after the batch are not those that its tasks lead to.");
  }
  if (!sameAmounts(computed.spent, batch.spent)) {
    return finding("SpentMismatch", "What requesters have spent after the batch is not what its tasks lead to.");
  }
  if (batch.header.createdAt * 1_000n <= BigInt(nowMs) + maxAheadMs) return undefined;
  return finding(
    "FromTheFuture",
    `The header's createdAt is ${batch.header.createdAt} s since the epoch; now is ${Math.floor(nowMs / 1_000)}.`,
  );
}

function recompute(batch: ParsedBatch): Batch | Finding {
  const { sequence, previousHash, epoch, createdAt } = batch.header;
  const tasks = batch.tasks.map(({ payee, votes, proven, agent, ...task }) => ({
    ...task,
    agent: readAgent(agent ? { agent } : {}),
    workerPayee: payee,
    validatorPayees: listValidators({ votes, ...(proven ? { proven } : {}) }).map((one) => one.payee),
    statementHash: proven && hashStatement(toStatement(proven.proof)),
  }));
  const missed = batch.missed.map(({ message }) => message);
  const { previousBalances, previousSpent, treasury } = batch;
  try {
    return computeBatch({
      sequence,
      previousHash,
      epoch,
      createdAt,
      previousBalances,
      previousSpent,
      tasks,
      missed,
      treasury,
    });
  } catch (error) {
    return finding("BatchNotComputable", describeError(error));
  }
}
