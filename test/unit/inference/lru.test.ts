import { describe, expect, it } from "vitest";
import { createLru } from "../../../src/inference/lru.ts";

const ofLengths = (maxWeight: number) => createLru<string>(maxWeight, (value) => value.length);

describe("the bounded map", () => {
  it("forgets what was used longest ago when it is over its weight", () => {
    const lru = ofLengths(4);
    lru.set("a", "11");
    lru.set("b", "22");
    lru.get("a");
    lru.set("c", "33");
    expect([lru.get("a"), lru.get("b"), lru.get("c")]).toEqual(["11", undefined, "33"]);
  });

  it("forgets as many as one heavy value needs", () => {
    const lru = ofLengths(4);
    for (const key of ["a", "b", "c", "d"]) lru.set(key, "1");
    lru.set("e", "333");
    expect(["a", "b", "c", "d", "e"].filter((key) => lru.get(key) !== undefined)).toEqual(["d", "e"]);
  });

  it("does not take a value heavier than all of it, and keeps the others", () => {
    const lru = ofLengths(2);
    lru.set("a", "1");
    lru.set("b", "333");
    expect([lru.get("a"), lru.get("b")]).toEqual(["1", undefined]);
  });

  it("counts a replaced value once", () => {
    const lru = ofLengths(3);
    lru.set("a", "11");
    lru.set("a", "1");
    lru.set("b", "22");
    expect([lru.get("a"), lru.get("b")]).toEqual(["1", "22"]);
  });
});
