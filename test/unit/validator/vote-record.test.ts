import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { openVoteRecords, type VoteRecord } from "../../../src/validator/vote-record.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-votes-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const id = (byte: string) => `0x${byte.repeat(32)}`;
const aRecord = (byte: string, attempts?: VoteRecord["attempts"]): VoteRecord => ({
  ...{ validationId: id(byte), votesRoot: id("01"), commitment: id("02"), salt: id("03") },
  ...{ votes: [], overheadMs: 1, ...(attempts ? { attempts } : {}) },
});

test("an attempt whose receipt was judged is remembered, over a restart and beside damaged and older records", async () => {
  const records = await openVoteRecords(dir, systemClock);
  await records.save(aRecord("aa", [{ taskId: id("11"), attempt: 1 }]));
  await records.save(aRecord("bb"));
  expect(await records.hasJudged({ taskId: id("11"), attempt: 1 })).toBe(true);
  expect(await records.hasJudged({ taskId: id("11"), attempt: 2 })).toBe(false);
  // After the first question too.
  await records.save(aRecord("cc", [{ taskId: id("22"), attempt: 7 }]));
  expect(await records.hasJudged({ taskId: id("22"), attempt: 7 })).toBe(true);
  await writeFile(join(dir, "votes", `${id("dd")}.json`), "{");
  const again = await openVoteRecords(dir, systemClock);
  expect(await again.hasJudged({ taskId: id("22"), attempt: 7 })).toBe(true);
  expect(await again.hasJudged({ taskId: id("33"), attempt: 1 })).toBe(false);
});
