import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../../../src/embedded/apiserver/object.ts";
import { MemoryStore } from "../../../../../src/embedded/apiserver/storage/memory-store.ts";
import { CompactedError, type StoreEvent } from "../../../../../src/embedded/apiserver/storage/store.ts";

const object = (name: string, value = ""): KubeObject => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name },
  value,
});
const names = (store: MemoryStore, options?: { namespace?: string; atRevision?: number }) =>
  store.list("things", options).items.map((item) => `${item.key}=${String(item.object.value)}`);

describe("the store in memory", () => {
  test("every write gets the next revision, over all resources", () => {
    const store = new MemoryStore({ firstRevision: 10 });
    expect(store.create("things", "a", object("a")).revision).toBe(11);
    expect(store.create("others", "b", object("b")).revision).toBe(12);
    expect(store.update("things", "a", object("a", "2")).object.metadata.resourceVersion).toBe("13");
    expect(store.delete("things", "a").revision).toBe(14);
  });

  test("lists are in key order and by namespace", () => {
    const store = new MemoryStore();
    for (const key of ["b/2", "a/1", "b/1", "ab/1"]) store.create("things", key, object(key));
    expect(store.list("things").items.map((item) => item.key)).toEqual(["a/1", "ab/1", "b/1", "b/2"]);
    expect(store.list("things", { namespace: "b" }).items.map((item) => item.key)).toEqual(["b/1", "b/2"]);
    store.update("things", "ab/1", object("x", "new"));
    expect(names(store)[1]).toBe("ab/1=new");
  });

  test("a watch replays what came after a revision, then what comes, and stops when told", () => {
    const store = new MemoryStore();
    const first = store.create("things", "a", object("a"));
    store.update("things", "a", object("a", "2"));
    const seen: string[] = [];
    const stop = store.watch("things", first.revision, (event: StoreEvent) => seen.push(event.type));
    store.delete("things", "a");
    stop();
    store.create("things", "a", object("a"));
    expect(seen).toEqual(["MODIFIED", "DELETED"]);
  });

  test("history is bounded: a watch or list from before it is refused, by resource", () => {
    const store = new MemoryStore({ historyLimit: 3 });
    const start = store.create("things", "a", object("a")).revision;
    store.create("quiet", "q", object("q"));
    for (let index = 0; index < 10; index += 1) store.update("things", "a", object("a", String(index)));
    expect(() => store.watch("things", start, () => undefined)).toThrow(CompactedError);
    expect(() => store.list("things", { atRevision: start })).toThrow(CompactedError);
    expect(() => store.watch("quiet", start, () => undefined)).not.toThrow();
    expect(names(store, { atRevision: store.revision() - 3 })).toEqual(["a=6"]);
  });

  test("a write that its caller got wrong is an error, not a silent overwrite", () => {
    const store = new MemoryStore();
    expect(() => store.update("things", "a", object("a"))).toThrow(/missing key/);
    expect(() => store.delete("things", "a")).toThrow(/missing key/);
    store.create("things", "a", object("a"));
    expect(() => store.create("things", "a", object("a"))).toThrow(/existing key/);
  });

  test("law: a list at any known past revision is what the list was then", () => {
    const step = fc.record({
      key: fc.constantFrom("a", "b", "c", "d"),
      remove: fc.boolean(),
      value: fc.string({ maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const store = new MemoryStore();
        const then = new Map<number, string[]>([[store.revision(), names(store)]]);
        for (const { key, remove, value } of steps) {
          const exists = store.get("things", key) !== undefined;
          if (!exists) store.create("things", key, object(key, value));
          else if (remove) store.delete("things", key);
          else store.update("things", key, object(key, value));
          then.set(store.revision(), names(store));
        }
        for (const [atRevision, want] of then) expect(names(store, { atRevision })).toEqual(want);
      }),
      { numRuns: 50 },
    );
  });
});
