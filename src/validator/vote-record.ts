/**
 * What this validator voted in each Validation, with its salt, on the disk before anyone hears of it. It serves a reveal
 * after a restart, and it is the record of what was signed: there is one root per Validation, ever, because a second one
 * is a contradiction that costs the bond. Kept for longer than anything signed can be disputed.
 */
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import { ensureFolder, readIfThere, writeDurably } from "../pool/durable-file.ts";
import type { Vote } from "../protocol/merkle.ts";

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
  const folder = join(stateDir, "votes");
  await ensureFolder(folder);
  const pathOf = (validationId: string) => join(folder, `${checkId(validationId)}.json`);

  /** By task and attempt; read when it is first asked for, which is seldom. */
  let judged: Promise<Set<string>> | undefined;
  const readJudged = async () => {
    const found = new Set<string>();
    for (const name of await readdir(folder)) {
      const text = await readIfThere(join(folder, name));
      for (const attempt of attemptsIn(text, name.replace(/\.json$/, ""))) found.add(keyOf(attempt));
    }
    return found;
  };

  async function find(validationId: string): Promise<VoteRecord | undefined> {
    const text = await readIfThere(pathOf(validationId));
    return text === undefined ? undefined : parse(text, validationId);
  }

  return {
    find,
    async save(record) {
      if ((await find(record.validationId)) !== undefined) {
        throw new InferiumError(
          "AlreadyVoted",
          `There are votes for ${record.validationId}; others would contradict them.`,
        );
      }
      await writeDurably(pathOf(record.validationId), JSON.stringify(record));
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
    async prune() {
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        if (clock.now() - (await stat(path)).mtimeMs > keepMs) await unlink(path);
      }
    },
  };
}

function keyOf({ taskId, attempt }: JudgedAttempt): string {
  return `${taskId}/${attempt}`;
}

/** It becomes a file name, and it comes from outside. */
function checkId(validationId: string): string {
  if (/^0x[0-9a-f]{64}$/.test(validationId)) return validationId;
  const message = `A validationId is "${String(validationId).slice(0, 80)}"; expected 32 bytes in lower-case hex.`;
  throw new InferiumError("InvalidValidationId", message);
}

/** A damaged record tells nothing, and nobody votes on top of it. One that cannot be read at the moment never comes here. */
function attemptsIn(text: string | undefined, validationId: string): readonly JudgedAttempt[] {
  if (text === undefined) return [];
  try {
    return parse(text, validationId).attempts ?? [];
  } catch {
    return [];
  }
}

function parse(text: string, validationId: string): VoteRecord {
  try {
    const record = JSON.parse(text) as VoteRecord;
    if (record.validationId === validationId && Array.isArray(record.votes)) return record;
  } catch (cause) {
    throw damaged(validationId, cause);
  }
  throw damaged(validationId);
}

/** Voting afresh could contradict what was signed, so it stays as it is until somebody looks. */
function damaged(validationId: string, cause?: unknown): InferiumError {
  const message = `The record of votes for ${validationId} is damaged; this validation is left out.`;
  return new InferiumError("StateUnreadable", message, { cause });
}
