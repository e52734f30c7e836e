import { describe, expect, test } from "vitest";
import { type Missed, MissedBook } from "../../../src/operator/missed-book.ts";
import { RecordBook } from "../../../src/operator/record-book.ts";
import type { SignedClaim } from "../../../src/pool/work-assignment.ts";
import { aRecordStore } from "../../support/memory-record-store.ts";

interface Fact {
  readonly id: number;
  readonly text: string;
  readonly seen?: string;
}

const aBook = (store = aRecordStore()) =>
  new RecordBook<Fact>({
    store,
    nameOf: ({ id }) => `fact-${id}`,
    fieldsOf: ({ text, seen }) => ({ text, seen }),
  });

describe("RecordBook", () => {
  test("what is written down is there after a restart, what is removed is not", async () => {
    const store = aRecordStore();
    const book = aBook(store);
    expect(await book.add({ id: 1, text: "one" })).toBe("fact-1");
    await book.add({ id: 2, text: "two", seen: "yes" });
    expect(await store.list()).toEqual([
      { name: "fact-1", fields: { text: "one" } },
      { name: "fact-2", fields: { text: "two", seen: "yes" } },
    ]);

    const restarted = aBook(store);
    await restarted.load();
    expect(restarted.names()).toEqual(["fact-1", "fact-2"]);
    await restarted.remove("fact-1");
    expect(restarted.list()).toEqual([{ id: 2, text: "two", seen: "yes" }]);
    expect((await store.list()).map(({ name }) => name)).toEqual(["fact-2"]);
  });

  test("one matter is added once, and saved as often as it changes", async () => {
    const book = aBook();
    await book.add({ id: 1, text: "first" });
    await book.add({ id: 1, text: "second" });
    expect(book.get("fact-1")?.text).toBe("first");
    await book.save({ id: 1, text: "third" });
    expect(book.get("fact-1")?.text).toBe("third");
  });

  test("what is held is in no store, and what is written down is not released", async () => {
    const store = aRecordStore();
    const book = aBook(store);
    book.hold({ id: 1, text: "perhaps" });
    expect(await store.list()).toEqual([]);
    book.release("fact-1");
    expect(book.get("fact-1")).toBeUndefined();

    await book.add({ id: 1, text: "surely" });
    book.release("fact-1");
    expect(book.get("fact-1")?.text).toBe("surely");
  });
});

describe("MissedBook", () => {
  const claimOf = (worker: string): SignedClaim =>
    ({ message: { taskId: `0x${"1a".repeat(32)}`, attempt: 2, worker } }) as SignedClaim;
  const suspicion: Omit<Missed, "name" | "state"> = {
    ...{ key: "default/task", uid: "uid", worker: "worker-1", claimedAtMs: 0 },
    claim: claimOf("0xWorker"),
  };

  test("a late answer acquits its own worker, until the deadline is held against it", async () => {
    const store = aRecordStore();
    const book = new MissedBook(store);
    const name = book.suspect(suspicion) ?? "";
    expect(book.suspect(suspicion)).toBeUndefined();
    book.acquit(suspicion.claim.message.taskId, 2, "0xAnother");
    expect(book.get(name)?.state).toBe("Suspected");
    book.acquit(suspicion.claim.message.taskId, 2, "0xWorker");
    expect(book.get(name)).toBeUndefined();

    book.suspect(suspicion);
    await book.save({ ...suspicion, name, state: "Due" });
    book.acquit(suspicion.claim.message.taskId, 2, "0xWorker");
    expect(book.listDue(10).map((missed) => missed.name)).toEqual([name]);
    expect(await store.list()).toEqual([{ name, fields: { task: "default/task", worker: "worker-1", state: "Due" } }]);
  });
});
