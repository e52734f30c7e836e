import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../../src/base/clock.ts";
import { openSuspectRecords } from "../../../../src/validator/dispute/suspect-record.ts";
import { aTask } from "../a-batch.ts";

let stateDir = "";
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "inferium-suspects-"));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

const suspect = { task: await aTask(), epoch: "3", reason: "other outputs" };
const open = () => openSuspectRecords(stateDir, systemClock);

describe("records of wrong results", () => {
  test("what was found is there after a restart, once, and gone when it is removed", async () => {
    const records = await open();
    await records.add(suspect);
    await records.add(suspect);
    expect(await (await open()).readAll()).toEqual([suspect]);
    await records.remove(suspect.task.taskId);
    await records.remove(suspect.task.taskId);
    expect(await (await open()).readAll()).toEqual([]);
  });

  const broken = [
    "{",
    "{}",
    JSON.stringify({ ...suspect, epoch: "x" }),
    JSON.stringify({ ...suspect, task: { ...suspect.task, votes: 1 } }),
  ];
  test.each(broken)("a damaged record is passed over: %#", async (text) => {
    const records = await open();
    await records.add(suspect);
    await writeFile(join(stateDir, "suspects", `0x${"1".repeat(64)}.json`), text);
    await writeFile(join(stateDir, "suspects", `${suspect.task.taskId}.json`), text);
    expect(await records.readAll()).toEqual([]);
  });

  test("a task that is no name of a file is refused", async () => {
    const task = { ...suspect.task, taskId: "../../etc/passwd" };
    await expect((async () => (await open()).add({ ...suspect, task }))()).rejects.toMatchObject({
      code: "InvalidTask",
    });
  });
});
