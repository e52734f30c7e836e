import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type JournalEntry, openFileJournal } from "../../../src/chain/journal.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "inferium-journal-"));
  path = join(directory, "deeper", "journal.jsonl");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const anEntry = (id: string, overrides: Partial<JournalEntry> = {}): JournalEntry => ({
  ...{ id, subject: "0xaa", payload: { kind: "settle" }, chainId: 1, from: "0x1", nonce: 0 },
  ...{ rawTransaction: "0x02", txHash: "0xbb", status: "signed" },
  ...overrides,
});

describe("the journal on disk", () => {
  test("is empty where there is no file", async () => {
    expect(await openFileJournal(path).load()).toEqual([]);
  });

  test("gives back the last version of each entry, in the order of first saving", async () => {
    const journal = openFileJournal(path);
    await journal.save(anEntry("settle/1"));
    await journal.save(anEntry("settle/2", { nonce: 1 }));
    await journal.save(anEntry("settle/1", { status: "confirmed" }));
    expect(await openFileJournal(path).load()).toEqual([
      anEntry("settle/1", { status: "confirmed" }),
      anEntry("settle/2", { nonce: 1 }),
    ]);
  });

  test("forgets an entry that a crash cut, and keeps those written before and after", async () => {
    const journal = openFileJournal(path);
    await journal.save(anEntry("settle/1"));
    await appendFile(path, '\n{"id":"settle/2","sub');
    expect(await journal.load()).toEqual([anEntry("settle/1")]);
    await journal.save(anEntry("settle/3"));
    expect(await journal.load()).toEqual([anEntry("settle/1"), anEntry("settle/3")]);
  });

  test("refuses to go on where a whole entry does not parse", async () => {
    const journal = openFileJournal(path);
    await journal.save(anEntry("settle/1"));
    await journal.save(anEntry("settle/2"));
    await writeFile(path, (await readFile(path, "utf8")).replace('{"id":"settle/1"', '{"id:"settle/1"'));
    await expect(journal.load()).rejects.toMatchObject({ code: "JournalCorrupt", disposition: "fatal" });
  });
});
