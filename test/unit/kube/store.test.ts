import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/kube/object.ts";
import { ObjectStore } from "../../../src/kube/store.ts";

interface Thing extends KubeObject {
  spec: { node: string };
}

function aThing(name: string, version: string, node = "n1", uid = `uid-${name}`): Thing {
  const metadata = { name, namespace: "ns", uid, resourceVersion: version };
  return { apiVersion: "example.com/v1", kind: "Thing", metadata, spec: { node } };
}

function createStore() {
  return new ObjectStore<Thing, Thing>({
    transform: (thing) => thing,
    indexers: { node: (thing) => (thing.spec.node === "" ? [] : [thing.spec.node]) },
  });
}

/** A whole new state. */
const stageAll = (store: ObjectStore<Thing, Thing>, things: readonly Thing[]) =>
  new Map(things.map((thing) => [`ns/${thing.metadata.name}`, store.stage(thing)]));

const summary = (events: readonly { type: string; key: string }[]) => events.map(({ type, key }) => `${type} ${key}`);

describe("the store", () => {
  test("tells added, updated and deleted apart, and passes over a version it already holds", () => {
    const store = createStore();
    expect(summary(store.put(aThing("a", "1")))).toEqual(["added ns/a"]);
    expect(store.put(aThing("a", "1"))).toEqual([]);
    const [updated] = store.put(aThing("a", "2", "n2"));
    expect(updated).toMatchObject({
      type: "updated",
      object: { spec: { node: "n2" } },
      previous: { spec: { node: "n1" } },
    });
    expect(summary(store.remove("ns/a"))).toEqual(["deleted ns/a"]);
    expect(store.remove("ns/a")).toEqual([]);
    expect(store.size).toBe(0);
  });

  test("gives the object as it was deleted, not as it was last seen", () => {
    const store = createStore();
    store.put(aThing("a", "1"));
    expect(store.remove("ns/a", aThing("a", "5", "last"))).toMatchObject([{ object: { spec: { node: "last" } } }]);
  });

  test("takes a same-named object with another uid as a delete and an add", () => {
    const store = createStore();
    store.put(aThing("a", "1"));
    expect(summary(store.put(aThing("a", "9", "n1", "another")))).toEqual(["deleted ns/a", "added ns/a"]);
  });

  test("emits on a relist what was missed, deletes first, and nothing for what is unchanged", () => {
    const store = createStore();
    for (const name of ["kept", "changed", "gone"]) store.put(aThing(name, "1"));
    const events = store.replace(stageAll(store, [aThing("kept", "1"), aThing("changed", "4"), aThing("new", "5")]));
    expect(summary(events)).toEqual(["deleted ns/gone", "updated ns/changed", "added ns/new"]);
    expect([...store.keys()].sort()).toEqual(["ns/changed", "ns/kept", "ns/new"]);
  });

  test("keeps its indexes true through updates, deletes and relists", () => {
    const store = createStore();
    store.put(aThing("a", "1", "n1"));
    store.put(aThing("b", "1", "n1"));
    store.put(aThing("c", "1", ""));
    const namesOn = (node: string) => store.byIndex("node", node).map((thing) => thing.metadata.name);
    expect(namesOn("n1")).toEqual(["a", "b"]);
    store.put(aThing("a", "2", "n2"));
    expect([namesOn("n1"), namesOn("n2"), namesOn("")]).toEqual([["b"], ["a"], []]);
    store.replace(stageAll(store, [aThing("a", "3", "n3")]));
    expect(store.indexValues("node")).toEqual(["n3"]);
    expect(() => store.byIndex("zone", "x")).toThrow('No index "zone"');
  });

  test.each(["transform", "indexer"])("is as it was when the %s throws, so that the event can come again", (faulty) => {
    let broken = true;
    const fail = (part: string) => {
      if (broken && part === faulty) throw new Error("a bug");
    };
    const store = new ObjectStore<Thing, Thing>({
      transform: (thing) => {
        fail("transform");
        return thing;
      },
      indexers: {
        node: (thing) => {
          fail("indexer");
          return [thing.spec.node];
        },
      },
    });
    broken = false;
    store.put(aThing("a", "1"));
    broken = true;
    expect(() => store.put(aThing("a", "2", "n2"))).toThrow("a bug");
    broken = false;
    expect(store.byIndex("node", "n1")).toHaveLength(1);
    expect(summary(store.put(aThing("a", "2", "n2")))).toEqual(["updated ns/a"]);
    expect(store.indexValues("node")).toEqual(["n2"]);
  });

  test("keeps only what the transform makes of an object", () => {
    const store = new ObjectStore<Thing, string>({ transform: (thing) => thing.spec.node });
    store.put(aThing("a", "1", "n7"));
    expect(store.get("ns/a")).toBe("n7");
    expect(store.put(aThing("a", "2", "n8"))).toEqual([{ type: "updated", key: "ns/a", object: "n8", previous: "n7" }]);
  });
});
