/**
 * A juror's verdicts, each with its salt, on the disk before the commitment is broadcast: a restart commits to the same again and
 * can reveal. One verdict for each dispute, ever. A record outlives its dispute by a month.
 */
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { InferiumError } from "../../base/errors.ts";
import { ensureFolder, readIfThere, writeDurably } from "../../pool/durable-file.ts";
import type { JurorVote } from "../../protocol/dispute.ts";

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
  const folder = join(stateDir, "verdicts");
  await ensureFolder(folder);
  const pathOf = (id: string) => join(folder, `${checkId(id)}.json`);
  const find = async (id: string) => {
    const text = await readIfThere(pathOf(id));
    return text === undefined ? undefined : parse(text, id);
  };
  return {
    find,
    async add(vote) {
      const known = await find(vote.id);
      if (known !== undefined) {
        const message = `There is a verdict on dispute ${vote.id}; a second commitment would be a contradiction.`;
        throw new InferiumError("AlreadyJudged", message);
      }
      const record: VerdictRecord = { ...vote, state: "Judged" };
      await writeDurably(pathOf(vote.id), JSON.stringify(record));
    },
    advance: (record, state) => writeDurably(pathOf(record.id), JSON.stringify({ ...record, state })),
    async prune() {
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        if (clock.now() - (await stat(path)).mtimeMs > keepMs) await unlink(path);
      }
    },
  };
}

/** It becomes a file name. */
function checkId(id: string): string {
  if (/^0x[0-9a-f]{64}$/.test(id)) return id;
  throw new InferiumError("InvalidDispute", `A dispute is "${id.slice(0, 80)}"; expected 32 bytes in lower-case hex.`);
}

function parse(text: string, id: string): VerdictRecord {
  try {
    const record = JSON.parse(text) as VerdictRecord;
    if (record.id === id && /^0x[0-9a-f]{64}$/.test(record.salt)) return record;
  } catch (cause) {
    throw damaged(id, cause);
  }
  throw damaged(id);
}

function damaged(id: string, cause?: unknown): InferiumError {
  const message = `The record of the verdict on dispute ${id} is damaged; no vote is cast on it.`;
  return new InferiumError("StateUnreadable", message, { cause });
}
