/**
 * What this validator voted in each Validation, with its salt, on the disk before anyone hears of it. It serves a reveal
 * after a restart, and it is the record of what was signed: there is one root per Validation, ever, because a second one
 * is a contradiction that costs the bond. Kept for longer than anything signed can be disputed.
 */
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import type { Vote } from "../protocol/merkle.ts";
import { openRecordFolder } from "./record-folder.ts";

export interface JudgedAttempt {
  readonly taskId: string;
  readonly attempt: number;
}

export interface VoteRecord {
  readonly validationId: string;
  readonly votesRoot: string;
  readonly commitment: string;
  /** 32 random bytes, 0x-hex; secret until the reveal. */
  readonly salt: string;
  readonly votes: readonly { readonly vote: Vote; readonly outputDigest: string }[];
  /** Whose receipts were judged, in the order of the votes; absent in records of earlier versions. */
  readonly attempts?: readonly JudgedAttempt[];
  readonly overheadMs: number;
  readonly note?: string;
}

export interface VoteRecords {
  /** @throws InferiumError InvalidValidationId, StateUnreadable */
  find(validationId: string): Promise<VoteRecord | undefined>;
  /** Durable when it resolves. @throws InferiumError AlreadyVoted, StateUnwritable */
  save(record: VoteRecord): Promise<void>;
  /** Whether a receipt of this attempt was judged in a Validation that is still kept. */
  hasJudged(attempt: JudgedAttempt): Promise<boolean>;
  prune(): Promise<void>;
}

/** Longer than a validator's unbonding (21 days). */
const keepMs = 30 * 24 * 3_600_000;

/** @throws InferiumError StateUnwritable */
export async function openVoteRecords(stateDir: string, clock: Clock): Promise<VoteRecords> {
  const folder = await openRecordFolder<VoteRecord>({
    folder: join(stateDir, "votes"),
    clock,
    keepMs,
    idOf: ({ validationId }) => validationId,
    isWhole: ({ votes }) => Array.isArray(votes),
    refusals,
  });
  /** By task and attempt; read when it is first asked for, which is seldom. */
  let judged: Promise<Set<string>> | undefined;
  const readJudged = async () => {
    const records = await folder.readAll();
    return new Set(records.flatMap(({ attempts = [] }) => attempts.map(keyOf)));
  };
  return {
    find: folder.find,
    async save(record) {
      await folder.add(record);
      const known = await judged?.catch(() => undefined);
      for (const attempt of record.attempts ?? []) known?.add(keyOf(attempt));
    },
    async hasJudged(attempt) {
      judged ??= readJudged().catch((error: unknown) => {
        // Asked again, it is read again.
        judged = undefined;
        throw error;
      });
      return (await judged).has(keyOf(attempt));
    },
    prune: folder.prune,
  };
}

function keyOf({ taskId, attempt }: JudgedAttempt): string {
  return `${taskId}/${attempt}`;
}

const refusals = {
  invalidId: (shown: string) =>
    new InferiumError("InvalidValidationId", `A validationId is "${shown}"; expected 32 bytes in lower-case hex.`),
  secondFor: (id: string) =>
    new InferiumError("AlreadyVoted", `There are votes for ${id}; others would contradict them.`),
  damaged: (id: string) => `The record of votes for ${id} is damaged; this validation is left out.`,
};
