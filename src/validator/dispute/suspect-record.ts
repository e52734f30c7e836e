/**
 * Settled results that were found wrong and are not disputed yet, on the disk: a restart goes on with them, since chance would hardly
 * pick them again. One for each task. A record outlives its use by no more than a month: by then its evidence is too old.
 */
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { InferiumError } from "../../base/errors.ts";
import type { BatchTask } from "../../pool/batch-evidence.ts";
import { openRecordFolder, type RecordFolder } from "../record-folder.ts";

export interface Suspect {
  readonly task: BatchTask;
  /** Of the validators that approved it, decimal. */
  readonly epoch: string;
  readonly reason: string;
}

/** `add` of a task that is there changes nothing. */
export type SuspectRecords = Pick<RecordFolder<Suspect>, "readAll" | "remove" | "prune"> & {
  /** Durable when it resolves. @throws InferiumError StateUnwritable */
  readonly add: (suspect: Suspect) => Promise<void>;
};

const keepMs = 30 * 24 * 3_600_000;

/** @throws InferiumError StateUnwritable */
export async function openSuspectRecords(stateDir: string, clock: Clock): Promise<SuspectRecords> {
  const { replace, readAll, remove, prune } = await openRecordFolder<Suspect>({
    folder: join(stateDir, "suspects"),
    clock,
    keepMs,
    idOf: ({ task }) => task.taskId,
    isWhole: ({ task, epoch }) => Array.isArray(task.votes) && /^[0-9]{1,20}$/.test(epoch),
    refusals,
  });
  return { add: replace, readAll, remove, prune };
}

const refusals = {
  invalidId: (shown: string) =>
    new InferiumError("InvalidTask", `A task is "${shown}"; expected 32 bytes in lower-case hex.`),
  secondFor: (id: string) => new InferiumError("AlreadySuspect", `The result of task ${id} is already found wrong.`),
  damaged: (id: string) => `The record of the wrong result of task ${id} is damaged; it is not disputed by it.`,
};
