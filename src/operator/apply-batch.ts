/** Writes into the tasks of a batch that the chain has it, or has it no more. Both may be done again without harm. */
import { isConditionTrue } from "../api/v1alpha1/conditions.ts";
import { InferiumError } from "../base/errors.ts";
import { settleTask, type TaskSettlement, unsettleTask } from "../protocol/lifecycle.ts";
import { buildTaskTree } from "../protocol/settlement.ts";
import type { Because } from "../protocol/status-change.ts";
import { stageOf } from "../protocol/task-stage.ts";
import type { BatchMember, BatchRecord } from "./batch-book.ts";
import { toSettledTask } from "./build-batch.ts";
import type { TaskChange, TaskLedger } from "./ledger.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import type { TellTask } from "./task-events.ts";

export interface ApplyBatchOptions {
  readonly ledger: TaskLedger;
  readonly tell: TellTask;
}

const writesAtOnce = 16;

/** Settled and Rewarded, with the proof that leads to the batch's root. */
export async function applyBatch(options: ApplyBatchOptions, record: BatchRecord): Promise<void> {
  const { data, members } = record.body;
  const tree = buildTaskTree(
    data.tasks.map(toSettledTask),
    data.missed?.map(({ message }) => message),
  );
  const { txHash = "", blockNumber: block = 0 } = record.outcome ?? {};
  await mapConcurrently([...members.entries()], writesAtOnce, async ([index, member]) => {
    const rewardWei = data.tasks[index]?.rewardWei ?? "0";
    const settlement = { batch: record.sequence, index, proof: tree.proof(index), txHash, block, rewardWei };
    const decide: TaskChange["decide"] = (status, context) =>
      stageOf(status) === "Settle" || isMoved(status.settlement, settlement)
        ? settleTask(status, settlement, context)
        : undefined;
    const text = `Settled in batch ${record.sequence}, transaction ${txHash}.`;
    await change(options, member, { stage: "settled", decide, text });
  });
}

/** The task's stage is again what it was before it was settled, until it is settled again. */
export async function unapplyBatch(options: ApplyBatchOptions, record: BatchRecord, because: Because): Promise<void> {
  await mapConcurrently(record.body.members, writesAtOnce, async (member) => {
    const decide: TaskChange["decide"] = (status, context) =>
      isConditionTrue(status.conditions, "Settled") && status.settlement?.batch === record.sequence
        ? unsettleTask(status, because, context)
        : undefined;
    await change(options, member, { stage: "unsettled", decide });
  });
}

/** A reorganisation put the batch into another block, and somebody else's transaction may have won. */
function isMoved(known: TaskSettlement | undefined, now: TaskSettlement): boolean {
  return known?.batch === now.batch && (known.txHash !== now.txHash || known.block !== now.block);
}

async function change(
  { ledger, tell }: ApplyBatchOptions,
  member: BatchMember,
  { stage, decide, text }: Pick<TaskChange, "stage" | "decide"> & { readonly text?: string },
): Promise<void> {
  const entry = ledger.get(member.key);
  // Deleted after it was accepted: it is settled all the same, and nobody is left to be told.
  if (entry?.uid !== member.uid) return;
  try {
    await ledger.change(member.key, { uid: member.uid, stage, durable: true, decide });
  } catch (error) {
    if (!(error instanceof InferiumError) || (error.code !== "TaskGone" && error.code !== "KubeNotFound")) throw error;
  }
  if (text !== undefined) tell(entry.task, "Settled", text);
}
