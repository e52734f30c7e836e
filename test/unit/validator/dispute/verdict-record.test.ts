import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../../src/base/clock.ts";
import { openVerdictRecords } from "../../../../src/validator/dispute/verdict-record.ts";

let stateDir = "";
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "inferium-verdicts-"));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

const id = `0x${"1d".repeat(32)}`;
const vote = { id, juror: "0xJuror", verdict: "Wrong", salt: `0x${"5a".repeat(32)}` } as const;
const open = () => openVerdictRecords(stateDir, systemClock);
const fileOf = (dispute: string) => join(stateDir, "verdicts", `${dispute}.json`);

describe("records of verdicts", () => {
  test("what was judged is there after a restart, with its salt and how far it got", async () => {
    await (await open()).add(vote);
    const again = await open();
    const record = await again.find(id);
    expect(record).toEqual({ ...vote, state: "Judged" });
    if (record) await again.advance(record, "Committed");
    expect(await (await open()).find(id)).toEqual({ ...vote, state: "Committed" });
  });

  test("a second verdict is refused, also the same one with another salt", async () => {
    await (await open()).add(vote);
    const other = (await open()).add({ ...vote, salt: `0x${"00".repeat(32)}` });
    await expect(other).rejects.toMatchObject({ code: "AlreadyJudged" });
    expect(await (await open()).find(id)).toMatchObject({ salt: vote.salt });
  });

  test("a damaged record is no reason to judge afresh", async () => {
    await (await open()).add(vote);
    await writeFile(fileOf(id), "{");
    await expect((await open()).find(id)).rejects.toMatchObject({ code: "StateUnreadable" });
    await expect((await open()).add(vote)).rejects.toMatchObject({ code: "StateUnreadable" });
  });

  test("what is no dispute's id becomes no file name", async () => {
    await expect((await open()).find("../../etc/passwd")).rejects.toMatchObject({ code: "InvalidDispute" });
  });

  test("records are forgotten long after, and not before", async () => {
    const records = await open();
    const old = `0x${"2d".repeat(32)}`;
    await records.add(vote);
    await records.add({ ...vote, id: old });
    const then = new Date(Date.now() - 61 * 24 * 3_600_000);
    await utimes(fileOf(old), then, then);
    await records.prune();
    expect(await records.find(id)).toBeDefined();
    expect(await records.find(old)).toBeUndefined();
  });
});
