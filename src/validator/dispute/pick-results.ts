/** Which settled results a watcher looks at, and whether what the pool shows is what the chain settled. Pure. */
import type { BatchData, BatchTask } from "../../pool/batch-evidence.ts";
import { hashStatement, toStatement } from "../../protocol/proof.ts";
import { buildTaskTree } from "../../protocol/settlement.ts";
import { batchHeaderTypes, hashMessage, type ProtocolDomain } from "../../protocol/typed-data.ts";
import { parseBatch } from "../certify/parse-batch.ts";

export interface WatchRules {
  /** Share of results that are picked, from 0 (none, not even those with few votes) to 1. */
  readonly rate: number;
  /** Results with fewer approvals than this are always picked. */
  readonly fewVotes: number;
}

/** @param chance uniform in [0, 1) */
export function isPicked(
  task: BatchTask,
  { account, rate, fewVotes }: WatchRules & { readonly account: string },
  chance: number,
): boolean {
  const voters = task.votes.map(({ validator }) => validator);
  // Nobody approved: there is nobody to accuse. Our own approval: we have run it.
  if (rate === 0 || voters.length === 0 || voters.includes(account) || task.worker === account) return false;
  return voters.length < fewVotes || chance < rate;
}

/** Whether these tasks are those of the batch that was settled with this header. @throws InferiumError where it is malformed */
export function isBatchOf(domain: ProtocolDomain, data: BatchData, headerHash: string): boolean {
  const { header, tasks, missed } = parseBatch(data);
  if (hashMessage(domain, batchHeaderTypes, header) !== headerHash || tasks.length === 0) return false;
  const leaves = tasks.map(({ proven, ...task }) => ({
    ...task,
    statementHash: proven && hashStatement(toStatement(proven.proof)),
  }));
  const claims = missed.map(({ message }) => message);
  return buildTaskTree(leaves, claims).root === header.taskRoot;
}
