/**
 * A juror's verdicts, each with its salt, on the disk before the commitment is broadcast: a restart commits to the same again and
 * can reveal. One verdict for each dispute, ever. A record outlives its dispute by a month.
 */
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { InferiumError } from "../../base/errors.ts";
import type { JurorVote } from "../../protocol/dispute.ts";
import { openRecordFolder } from "../record-folder.ts";

/** Judged: written down. Committed, Revealed: that is on the chain. */
export type VerdictState = "Judged" | "Committed" | "Revealed";

export interface VerdictRecord extends JurorVote {
  readonly state: VerdictState;
}

export interface VerdictRecords {
  /** @throws InferiumError StateUnreadable: judging afresh could be another verdict */
  find(id: string): Promise<VerdictRecord | undefined>;
  /** Durable when it resolves. @throws InferiumError AlreadyJudged, StateUnwritable */
  add(vote: JurorVote): Promise<void>;
  advance(record: VerdictRecord, state: VerdictState): Promise<void>;
  prune(): Promise<void>;
}

const keepMs = 60 * 24 * 3_600_000;

/** @throws InferiumError StateUnwritable */
export async function openVerdictRecords(stateDir: string, clock: Clock): Promise<VerdictRecords> {
  const folder = await openRecordFolder<VerdictRecord>({
    folder: join(stateDir, "verdicts"),
    clock,
    keepMs,
    idOf: ({ id }) => id,
    isWhole: ({ salt }) => /^0x[0-9a-f]{64}$/.test(salt),
    refusals,
  });
  return {
    find: folder.find,
    add: (vote) => folder.add({ ...vote, state: "Judged" }),
    advance: (record, state) => folder.replace({ ...record, state }),
    prune: folder.prune,
  };
}

const refusals = {
  invalidId: (shown: string) =>
    new InferiumError("InvalidDispute", `A dispute is "${shown}"; expected 32 bytes in lower-case hex.`),
  secondFor: (id: string) =>
    new InferiumError(
      "AlreadyJudged",
      `There is a verdict on dispute ${id}; a second commitment would be a contradiction.`,
    ),
  damaged: (id: string) => `The record of the verdict on dispute ${id} is damaged; no vote is cast on it.`,
};
