/** Between a batch as it is computed and signed, and its form on the wire and in records: whole numbers as decimal text. Pure. */
import type { Batch, SettledAgent } from "../protocol/settlement.ts";
import type { BatchHeaderMessage } from "../protocol/typed-data.ts";
import type { BatchData, BatchHeaderData, BatchTask } from "./batch-evidence.ts";

type Amounts = BatchData["balances"];

/** The header as it is signed. */
export function readHeader(header: BatchHeaderData): BatchHeaderMessage {
  return {
    sequence: BigInt(header.sequence),
    previousHash: header.previousHash,
    epoch: BigInt(header.epoch),
    taskRoot: header.taskRoot,
    balanceRoot: header.balanceRoot,
    taskCount: header.taskCount,
    settledWei: BigInt(header.settledWei),
    createdAt: BigInt(header.createdAt),
  };
}

export function writeHeader(header: BatchHeaderMessage): BatchHeaderData {
  return {
    sequence: header.sequence.toString(),
    previousHash: header.previousHash,
    epoch: header.epoch.toString(),
    taskRoot: header.taskRoot,
    balanceRoot: header.balanceRoot,
    taskCount: header.taskCount,
    settledWei: header.settledWei.toString(),
    createdAt: header.createdAt.toString(),
  };
}

/** Who stood for a task's result, by a vote or by endorsing its proof, and is paid for it. */
export function listValidators({
  votes,
  proven,
}: Pick<BatchTask, "votes" | "proven">): readonly { readonly validator: string; readonly payee: string }[] {
  return proven?.endorsements ?? votes;
}

/** What the split of a window's revenue needs; undefined where the reward is a worker's. */
export function readAgent({ agent }: Pick<BatchTask, "agent">): SettledAgent | undefined {
  return agent && { windowId: agent.window.windowId, creator: agent.creator, shares: agent.shares };
}

/** In the order of the entries. */
export function readAmounts(amounts: Amounts = {}): Map<string, bigint> {
  return new Map(Object.entries(amounts).map(([account, wei]) => [account, BigInt(wei)]));
}

export function writeAmounts(amounts: ReadonlyMap<string, bigint>): Amounts {
  return Object.fromEntries([...amounts].map(([account, wei]) => [account, wei.toString()]));
}

/** The data of a batch on top of the one before. */
export function writeBatch(
  batch: Batch,
  previous: BatchData | undefined,
  rest: Pick<BatchData, "tasks" | "missed" | "treasury">,
): BatchData {
  return {
    header: writeHeader(batch.header),
    ...(previous ? { previousHeader: previous.header } : {}),
    ...rest,
    previousBalances: previous?.balances ?? {},
    balances: writeAmounts(batch.balances),
    previousSpent: previous?.spent ?? {},
    spent: writeAmounts(batch.spent),
  };
}
