import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { setDiskFull } from "../../chaos/full-disk.ts";
import { aFolder, openRecord, taskId } from "./worker-fixture.ts";

describe("the record of signed attempts", () => {
  test("is on the disk when add resolves, and read after a restart", async () => {
    const folder = await aFolder();
    const signed = await openRecord(folder);
    expect(await signed.add(taskId("a"), 1)).toBe(true);
    expect(await readFile(join(folder, "signed-attempts.log"), "utf8")).toBe(`${taskId("a")} 1\n`);
    const again = await openRecord(folder);
    expect([again.has(taskId("a"), 1), again.has(taskId("a"), 2), again.has(taskId("b"), 1)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await again.add(taskId("a"), 1)).toBe(false);
  });

  test("a line that a crash cut off counts as not signed", async () => {
    const folder = await aFolder();
    await (await openRecord(folder)).add(taskId("a"), 1);
    await appendFile(join(folder, "signed-attempts.log"), taskId("b").slice(0, 20));
    const signed = await openRecord(folder);
    expect([signed.has(taskId("a"), 1), signed.has(taskId("b"), 1)]).toEqual([true, false]);
    // What is added next must not be glued to the broken line.
    await signed.add(taskId("c"), 1);
    expect((await openRecord(folder)).has(taskId("c"), 1)).toBe(true);
  });

  test("a disk that is full signs nothing, and what is signed after it is not lost in the half-written line", async () => {
    const folder = await aFolder();
    const signed = await openRecord(folder);
    await signed.add(taskId("a"), 1);
    await setDiskFull(folder, true);
    await expect(signed.add(taskId("b"), 1)).rejects.toMatchObject({ code: "StateUnwritable", disposition: "retry" });
    await setDiskFull(folder, false);
    expect(await signed.add(taskId("c"), 1)).toBe(true);
    const again = await openRecord(folder);
    expect([again.has(taskId("a"), 1), again.has(taskId("b"), 1), again.has(taskId("c"), 1)]).toEqual([
      true,
      false,
      true,
    ]);
  });

  test("is bounded by two files, of which the older is forgotten", async () => {
    const folder = await aFolder();
    const signed = await openRecord(folder, 2);
    for (let attempt = 1; attempt <= 7; attempt++) await signed.add(taskId("a"), attempt);
    const again = await openRecord(folder, 2);
    const known = [1, 2, 3, 4, 5, 6, 7].filter((attempt) => again.has(taskId("a"), attempt));
    expect(known.length).toBeLessThan(7);
    expect(known.slice(-3)).toEqual([5, 6, 7]);
  });

  test("many at once are all recorded", async () => {
    const folder = await aFolder();
    const signed = await openRecord(folder, 5);
    await Promise.all(Array.from({ length: 12 }, (_, attempt) => signed.add(taskId("a"), attempt)));
    const lines = (await readFile(join(folder, "signed-attempts.log"), "utf8")).split("\n").filter(Boolean);
    const older = (await readFile(join(folder, "signed-attempts.log.1"), "utf8")).split("\n").filter(Boolean);
    expect(new Set([...lines, ...older]).size).toBe(lines.length + older.length);
    expect(lines.at(-1)).toBe(`${taskId("a")} 11`);
  });
});
