import { describe, expect, test } from "vitest";
import {
  decodeJournal,
  encodeBatch,
  encodeRecord,
  type JournalRecord,
} from "../../../../../src/embedded/apiserver/storage/journal-format.ts";

const put = (key: string, revision: number): JournalRecord => ["put", revision, "things", key, { text: "zwölf\n" }];
const batch = (sequence: number, ...records: JournalRecord[]) => encodeBatch(sequence, records.map(encodeRecord));
const first = batch(1, ["format", 1], put("a", 2));
const second = batch(2, put("b", 3), ["delete", 4, "things", "a"]);
const third = batch(3, put("c", 5));

describe("the journal's format", () => {
  test("what was encoded is decoded, batch after batch", () => {
    const { records, nextSequence, validBytes } = decodeJournal(Buffer.concat([first, second]), "file");
    expect(records).toEqual([["format", 1], put("a", 2), put("b", 3), ["delete", 4, "things", "a"]]);
    expect(nextSequence).toBe(3);
    expect(validBytes).toBe(first.length + second.length);
  });

  test("an empty file holds nothing", () => {
    expect(decodeJournal(Buffer.alloc(0), "file")).toEqual({ records: [], nextSequence: 1, validBytes: 0 });
  });

  test("a last batch that is cut anywhere counts as never written", () => {
    const whole = Buffer.concat([first, second]);
    for (let end = first.length; end < whole.length; end += 1) {
      const decoded = decodeJournal(whole.subarray(0, end), "file");
      expect(decoded.validBytes).toBe(first.length);
      expect(decoded.records).toHaveLength(2);
    }
  });

  test("a last batch with a changed byte or a hole of zeros counts as never written", () => {
    for (let at = first.length; at < first.length + second.length; at += 7) {
      const file = Buffer.concat([first, second]);
      file[at] = (file[at] ?? 0) ^ 0x55;
      expect(decodeJournal(file, "file").validBytes).toBe(first.length);
    }
    expect(decodeJournal(Buffer.concat([first, Buffer.alloc(4096)]), "file").validBytes).toBe(first.length);
  });

  test("a broken batch before an intact one is lost data and refused, with the place", () => {
    const file = Buffer.concat([first, second, third]);
    const at = first.length + 20;
    file[at] = (file[at] ?? 0) ^ 1;
    expect(() => decodeJournal(file, "state.journal")).toThrow(
      `state.journal is damaged at byte ${first.length}: batch 2 cannot be read, but later ones can`,
    );
  });

  test("another format, or a file of something else, is refused", () => {
    expect(() => decodeJournal(batch(1, ["format", 2]), "file")).toThrow(/not with format 1/);
    expect(() => decodeJournal(Buffer.from("hello\n"), "file")).toThrow(/begins with "hello/);
  });

  test("a first batch that never got to the disk whole leaves an empty journal", () => {
    expect(decodeJournal(first.subarray(0, 9), "file").validBytes).toBe(0);
    expect(decodeJournal(Buffer.alloc(4096), "file").validBytes).toBe(0);
  });
});
